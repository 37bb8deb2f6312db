#include "rpc/net/background.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/thread.h"

struct job {
	struct job *next;
	void (*work)(void *context);
	void (*done)(void *context);
	void *context;
};

struct queue {
	struct job *first, **end;
};

struct background {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct queue todo, finished;
	bool stopping;
	int wake;
	struct event *event;
};

static void put(struct queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->end = job;
	queue->end = &job->next;
}

static struct job *get(struct queue *queue)
{
	struct job *job = queue->first;

	if (job == NULL)
		return NULL;
	queue->first = job->next;
	if (queue->first == NULL)
		queue->end = &queue->first;
	return job;
}

static void *run(void *context)
{
	struct background *background = context;
	uint64_t one = 1;

	pthread_mutex_lock(&background->lock);
	for (;;) {
		struct job *job = get(&background->todo);

		if (job == NULL && background->stopping)
			break;
		if (job == NULL) {
			pthread_cond_wait(&background->given, &background->lock);
			continue;
		}
		pthread_mutex_unlock(&background->lock);
		job->work(job->context);
		pthread_mutex_lock(&background->lock);
		put(&background->finished, job);
		must(write(background->wake, &one, sizeof one) == sizeof one);
	}
	pthread_mutex_unlock(&background->lock);
	return NULL;
}

static void finished(evutil_socket_t fd, short what, void *context)
{
	struct background *background = context;
	uint64_t count;
	struct job *job;

	(void)what;
	if (read((int)fd, &count, sizeof count) < 0)
		return; /* nothing new */
	pthread_mutex_lock(&background->lock);
	while ((job = get(&background->finished)) != NULL) {
		pthread_mutex_unlock(&background->lock);
		if (job->done != NULL)
			job->done(job->context);
		free(job);
		pthread_mutex_lock(&background->lock);
	}
	pthread_mutex_unlock(&background->lock);
}

struct background *background_new(struct event_base *base)
{
	struct background *background = calloc(1, sizeof *background);

	must_allocate(background);
	background->todo.end = &background->todo.first;
	background->finished.end = &background->finished.first;
	pthread_mutex_init(&background->lock, NULL);
	pthread_cond_init(&background->given, NULL);
	background->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (background->wake < 0)
		shortage("background", "tell the loop of jobs done: eventfd");
	background->event = event_new(base, background->wake, EV_READ | EV_PERSIST, finished, background);
	must_allocate(background->event);
	event_add(background->event, NULL);
	if (!thread_start(&background->thread, run, background))
		shortage("background", "start a thread: pthread_create");
	return background;
}

void background_free(struct background *background)
{
	struct job *job;

	if (background == NULL)
		return;
	pthread_mutex_lock(&background->lock);
	background->stopping = true;
	pthread_cond_signal(&background->given);
	pthread_mutex_unlock(&background->lock);
	pthread_join(background->thread, NULL);
	while ((job = get(&background->finished)) != NULL) {
		if (job->done != NULL)
			free(job->context);
		free(job);
	}
	event_free(background->event);
	close(background->wake);
	pthread_cond_destroy(&background->given);
	pthread_mutex_destroy(&background->lock);
	free(background);
}

void background_run(struct background *background, void (*work)(void *context), void (*done)(void *context),
		    void *context)
{
	struct job *job = malloc(sizeof *job);

	must_allocate(job);
	*job = (struct job){.work = work, .done = done, .context = context};
	pthread_mutex_lock(&background->lock);
	put(&background->todo, job);
	pthread_cond_signal(&background->given);
	pthread_mutex_unlock(&background->lock);
}
