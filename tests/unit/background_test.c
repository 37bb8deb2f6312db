/* The thread for slow work: in the order given, reported on the loop, and nothing lost when it ends with work left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <event2/event.h>

#include "rpc/net/background.h"

#define JOBS 1000

struct seen {
	struct event_base *base;
	int worked[JOBS], worked_count;   /* owned by the thread until the loop has heard of it */
	int done[JOBS], done_count;
};

struct job {
	struct seen *seen;
	int number;
};

static struct job *job_new(struct seen *seen, int number)
{
	struct job *job = malloc(sizeof *job);

	assert_non_null(job);
	*job = (struct job){.seen = seen, .number = number};
	return job;
}

static void work(void *context)
{
	struct job *job = context;

	job->seen->worked[job->seen->worked_count++] = job->number;
}

static void work_and_free(void *context)
{
	work(context);
	free(context);
}

static void done(void *context)
{
	struct job *job = context;
	struct seen *seen = job->seen;

	seen->done[seen->done_count++] = job->number;
	free(job);
	if (seen->done_count == JOBS / 2)
		event_base_loopbreak(seen->base);
}

/* Every second job has a call-back; the jobs run in order, and so do the call-backs. */
static void in_order(void **state)
{
	struct seen seen = {.base = event_base_new()};
	struct background *background = background_new(seen.base);

	(void)state;
	for (int i = 0; i < JOBS; i++)
		background_run(background, i % 2 == 0 ? work_and_free : work, i % 2 == 0 ? NULL : done,
			       job_new(&seen, i));
	event_base_dispatch(seen.base);
	background_free(background);
	assert_int_equal(seen.worked_count, JOBS);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(seen.worked[i], i);
	for (int i = 0; i < JOBS / 2; i++)
		assert_int_equal(seen.done[i], 2 * i + 1);
	event_base_free(seen.base);
}

/* At the end the given work is finished; no call-back follows and no context is lost (the leak checker verifies
 * that). */
static void finishes_at_the_end(void **state)
{
	struct seen seen = {.base = event_base_new()};
	struct background *background = background_new(seen.base);

	(void)state;
	for (int i = 0; i < JOBS; i++)
		background_run(background, i % 2 == 0 ? work_and_free : work, i % 2 == 0 ? NULL : done,
			       job_new(&seen, i));
	background_free(background);
	assert_int_equal(seen.worked_count, JOBS);
	assert_int_equal(seen.done_count, 0);
	event_base_free(seen.base);
}

static void free_of_nothing(void **state)
{
	(void)state;
	background_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(finishes_at_the_end),
		cmocka_unit_test(free_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
