/* The asynchronous half of the registry. One thread talks to the local rpcbind (keep, clean, unset); each dump has a
 * thread of its own for as long as it takes, so that a dead host delays no other. Results travel to the loop
 * as a list of findings, announced by an eventfd. */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/thread.h"
#include "rpc/net/registry.h"
#include "rpc/net/registry_internal.h"

#define KEEP_EVERY_US 1000000u
#define PATIENCE_MOST_US 16000000u
#define UNSET_ALL_US 500000u
#define ERROR_BYTES 256
#define DUMP_ENTRIES 16384
#define DUMPS_RUNNING 256 /* threads at most */
#define CLEANINGS_WAITING 256

/* A registration that is kept alive. The worker owns all of it but the list's links. */
struct keep {
	uint32_t program, version;
	char address[64];
	void (*result)(void *context, enum registry_set_result set, const char *error);
	void *context;
	uint64_t due_us;
	uint64_t patience_us; /* how long to wait for an answer */
	bool told;
	enum registry_set_result last;
	char last_error[ERROR_BYTES];
	TAILQ_ENTRY(keep) link;
};

/* A dead entry to be removed. */
#define SIBLINGS_MAX 8
#define SIBLINGS_TIMEOUT_MS 500

struct cleaning {
	uint32_t program, version;
	char address[64];
	STAILQ_ENTRY(cleaning) link;
};

/* A result on its way to the loop. */
struct finding {
	bool of_dump;
	/* a registration's */
	void (*result)(void *context, enum registry_set_result set, const char *error);
	enum registry_set_result set;
	/* a dump's */
	struct registry *registry;
	char host[256];
	uint32_t low, high, timeout_ms;
	void (*done)(void *context, const char *host, const struct registry_entry *entries, int count,
		     const char *error);
	struct registry_entry *entries;
	int count;
	/* both */
	void *context;
	char error[ERROR_BYTES];
	STAILQ_ENTRY(finding) link;
};

TAILQ_HEAD(keeps, keep);
STAILQ_HEAD(findings, finding);

struct registry {
	struct event wake;
	int wake_fd;
	int cancel_fd; /* when readable, dumps give up */
	int unset_fd;  /* when readable, registering gives up: it is time to unset */
	bool telling; /* the loop's: a call-back is on the stack */
	pthread_t worker;
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t work;  /* the worker waits for something to do */
	pthread_cond_t idle;  /* the loop's thread waits for dumps_running == 0, or !unsetting */
	struct keeps keeps;
	STAILQ_HEAD(, cleaning) cleanings;
	struct findings findings;
	int dumps_running;
	uint64_t unset_by_us;
	bool unsetting;
	bool stopping;
};

static void lock(struct registry *registry)
{
	must(pthread_mutex_lock(&registry->lock) == 0);
}

static void unlock(struct registry *registry)
{
	must(pthread_mutex_unlock(&registry->lock) == 0);
}

/* Under the lock, so that registry_free cannot close the descriptor in between. */
static void report(struct registry *registry, struct finding *finding)
{
	uint64_t one = 1;

	STAILQ_INSERT_TAIL(&registry->findings, finding, link);
	must(write(registry->wake_fd, &one, sizeof one) == sizeof one);
}

static void finding_free(struct finding *finding)
{
	free(finding->entries);
	free(finding);
}

/* --- the worker --------------------------------------------------------------------------------------------------- */

/* Registers once; the lock is released meanwhile. Only the worker removes a keep, so it stays. */
static void keep_once(struct registry *registry, struct keep *keep)
{
	char error[ERROR_BYTES] = "";

	unlock(registry);

	enum registry_set_result set = registry_set_by(keep->program, keep->version, keep->address, keep->patience_us,
						       registry->unset_fd, error, sizeof error);

	lock(registry);
	if (set == REGISTRY_SLOW && keep->patience_us < PATIENCE_MOST_US)
		keep->patience_us *= 2;
	keep->due_us = rpc_clock_us() + KEEP_EVERY_US;
	if (keep->told && keep->last == set && strcmp(keep->last_error, error) == 0)
		return;
	if (registry->unsetting) {
		/* No longer reported, but unset_kept must know that there is something to unset. */
		keep->told = true;
		keep->last = set;
		return;
	}
	keep->told = true;
	keep->last = set;
	snprintf(keep->last_error, sizeof keep->last_error, "%s", error);

	struct finding *finding = calloc(1, sizeof *finding);

	must_allocate(finding);
	finding->result = keep->result;
	finding->context = keep->context;
	finding->set = set;
	snprintf(finding->error, sizeof finding->error, "%s", error);
	report(registry, finding);
}

static void unset_kept(struct registry *registry)
{
	uint64_t deadline_us = registry->unset_by_us;
	struct keep *keep;

	while ((keep = TAILQ_FIRST(&registry->keeps)) != NULL) {
		TAILQ_REMOVE(&registry->keeps, keep, link);
		unlock(registry);
		/* An entry that we never registered may be another process's. A slow rpcbind may have registered
		 * ours. */
		if (keep->told && (keep->last == REGISTRY_SET || keep->last == REGISTRY_SLOW))
			registry_unset_by(keep->program, keep->version, keep->address, deadline_us);
		free(keep);
		lock(registry);
	}
	registry->unsetting = false;
	pthread_cond_broadcast(&registry->idle);
}

/* The dead process may have had another address, too (tcp and tcp6): one left behind would be found in the next round,
 * and waited for again. */
static void clean_siblings(uint32_t program, uint32_t version)
{
	struct registry_entry entries[SIBLINGS_MAX];
	char why[128];
	int count = registry_dump("127.0.0.1", program, program, entries, SIBLINGS_MAX, SIBLINGS_TIMEOUT_MS, why,
				  sizeof why);

	for (int i = 0; i < count; i++)
		registry_clean(program, version, entries[i].address);
}

static void clean_one(struct registry *registry)
{
	struct cleaning *cleaning = STAILQ_FIRST(&registry->cleanings);

	STAILQ_REMOVE_HEAD(&registry->cleanings, link);
	unlock(registry);
	if (registry_clean(cleaning->program, cleaning->version, cleaning->address))
		clean_siblings(cleaning->program, cleaning->version);
	free(cleaning);
	lock(registry);
}

static struct keep *earliest_keep(struct registry *registry)
{
	struct keep *keep;
	struct keep *earliest = NULL;

	TAILQ_FOREACH(keep, &registry->keeps, link)
		if (earliest == NULL || keep->due_us < earliest->due_us)
			earliest = keep;
	return earliest;
}

static void *work(void *context)
{
	struct registry *registry = context;

	lock(registry);
	for (;;) {
		struct keep *keep = earliest_keep(registry);

		if (registry->unsetting)
			unset_kept(registry);
		else if (registry->stopping)
			break;
		else if (keep != NULL && keep->due_us <= rpc_clock_us())
			keep_once(registry, keep);
		else if (!STAILQ_EMPTY(&registry->cleanings))
			clean_one(registry);
		else if (keep != NULL)
			thread_cond_wait_until(&registry->work, &registry->lock, keep->due_us);
		else
			pthread_cond_wait(&registry->work, &registry->lock);
	}
	unlock(registry);
	return NULL;
}

/* --- dumps -------------------------------------------------------------------------------------------------------- */

static void *run_dump(void *context)
{
	struct finding *dump = context;
	struct registry *registry = dump->registry;

	dump->count = registry_dump_or_cancel(dump->host, dump->low, dump->high, dump->entries, DUMP_ENTRIES,
					      dump->timeout_ms, registry->cancel_fd, dump->error, sizeof dump->error);
	lock(registry);
	report(registry, dump);
	registry->dumps_running--;
	pthread_cond_broadcast(&registry->idle);
	unlock(registry);
	return NULL;
}

void registry_dump_async(struct registry *registry, const char *host, uint32_t low, uint32_t high, uint32_t timeout_ms,
			 void (*done)(void *context, const char *host, const struct registry_entry *entries, int count,
				      const char *error),
			 void *context)
{
	struct finding *dump = calloc(1, sizeof *dump);

	must_allocate(dump);
	/* Not zeroed: only the pages that entries land on are ever touched. */
	dump->entries = malloc(DUMP_ENTRIES * sizeof *dump->entries);
	must_allocate(dump->entries);
	dump->of_dump = true;
	dump->registry = registry;
	dump->low = low;
	dump->high = high;
	dump->timeout_ms = timeout_ms;
	dump->done = done;
	dump->context = context;
	snprintf(dump->host, sizeof dump->host, "%s", host);
	lock(registry);
	if (registry->dumps_running < DUMPS_RUNNING && thread_start_detached(run_dump, dump)) {
		registry->dumps_running++;
	} else {
		dump->count = -1;
		snprintf(dump->error, sizeof dump->error, "cannot ask rpcbind on %s: too many threads", host);
		report(registry, dump);
	}
	unlock(registry);
}

/* --- the loop's side ---------------------------------------------------------------------------------------------- */

static void tell(const struct finding *finding)
{
	const char *error = finding->error[0] == '\0' ? NULL : finding->error;

	if (finding->of_dump)
		finding->done(finding->context, finding->host, finding->entries, finding->count, error);
	else
		finding->result(finding->context, finding->set, error);
}

static struct finding *next_finding(struct registry *registry)
{
	lock(registry);

	struct finding *finding = STAILQ_FIRST(&registry->findings);

	if (finding != NULL)
		STAILQ_REMOVE_HEAD(&registry->findings, link);
	unlock(registry);
	return finding;
}

static void woken(evutil_socket_t fd, short what, void *context)
{
	struct registry *registry = context;
	struct finding *finding;
	uint64_t count;

	(void)what;
	must(read(fd, &count, sizeof count) == sizeof count || errno == EAGAIN);
	registry->telling = true;
	while ((finding = next_finding(registry)) != NULL) {
		tell(finding);
		finding_free(finding);
	}
	registry->telling = false;
}

struct registry *registry_new(struct event_base *base)
{
	struct registry *registry = calloc(1, sizeof *registry);

	must_allocate(registry);
	TAILQ_INIT(&registry->keeps);
	STAILQ_INIT(&registry->cleanings);
	STAILQ_INIT(&registry->findings);
	pthread_mutex_init(&registry->lock, NULL);
	pthread_cond_init(&registry->work, NULL);
	pthread_cond_init(&registry->idle, NULL);
	registry->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	registry->cancel_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	registry->unset_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (registry->wake_fd < 0 || registry->cancel_fd < 0 || registry->unset_fd < 0)
		shortage("registry", "tell the loop of answers: eventfd");
	event_assign(&registry->wake, base, registry->wake_fd, EV_READ | EV_PERSIST, woken, registry);
	event_add(&registry->wake, NULL);
	if (!thread_start(&registry->worker, work, registry))
		shortage("registry", "start the thread that asks rpcbind: pthread_create");
	return registry;
}

static void free_lists(struct registry *registry)
{
	struct keep *keep;
	struct cleaning *cleaning;
	struct finding *finding;

	while ((keep = TAILQ_FIRST(&registry->keeps)) != NULL) {
		TAILQ_REMOVE(&registry->keeps, keep, link);
		free(keep);
	}
	while ((cleaning = STAILQ_FIRST(&registry->cleanings)) != NULL) {
		STAILQ_REMOVE_HEAD(&registry->cleanings, link);
		free(cleaning);
	}
	while ((finding = next_finding(registry)) != NULL)
		finding_free(finding);
}

void registry_free(struct registry *registry)
{
	if (registry == NULL)
		return;
	must(!registry->telling);
	lock(registry);
	registry->stopping = true;
	pthread_cond_signal(&registry->work);
	eventfd_write(registry->cancel_fd, 1);
	eventfd_write(registry->unset_fd, 1);
	while (registry->dumps_running > 0)
		pthread_cond_wait(&registry->idle, &registry->lock);
	unlock(registry);
	pthread_join(registry->worker, NULL);
	free_lists(registry);
	event_del(&registry->wake);
	close(registry->wake_fd);
	close(registry->cancel_fd);
	close(registry->unset_fd);
	pthread_mutex_destroy(&registry->lock);
	pthread_cond_destroy(&registry->work);
	pthread_cond_destroy(&registry->idle);
	free(registry);
}

void registry_keep(struct registry *registry, uint32_t program, uint32_t version, const char *address,
		   void (*result)(void *context, enum registry_set_result set, const char *error), void *context)
{
	struct keep *keep = calloc(1, sizeof *keep);

	must_allocate(keep);
	keep->program = program;
	keep->version = version;
	snprintf(keep->address, sizeof keep->address, "%s", address);
	keep->patience_us = REGISTRY_PATIENCE_US;
	keep->result = result;
	keep->context = context;
	lock(registry);
	TAILQ_INSERT_TAIL(&registry->keeps, keep, link);
	pthread_cond_signal(&registry->work);
	unlock(registry);
}

void registry_unset_all(struct registry *registry)
{
	struct findings others = STAILQ_HEAD_INITIALIZER(others);
	struct finding *finding;
	uint64_t deadline_us = rpc_clock_us() + UNSET_ALL_US;

	lock(registry);
	registry->unsetting = true;
	registry->unset_by_us = deadline_us;
	eventfd_write(registry->unset_fd, 1);
	pthread_cond_signal(&registry->work);
	while (registry->unsetting && thread_cond_wait_until(&registry->idle, &registry->lock, deadline_us))
		continue;
	/* Earlier results of registrations are no longer reported. */
	while ((finding = STAILQ_FIRST(&registry->findings)) != NULL) {
		STAILQ_REMOVE_HEAD(&registry->findings, link);
		if (finding->of_dump)
			STAILQ_INSERT_TAIL(&others, finding, link);
		else
			finding_free(finding);
	}
	STAILQ_CONCAT(&registry->findings, &others);
	unlock(registry);
}

/* RULE 19: a dead entry is asked for again each time it is seen, and the worker may be slow. */
static bool takes_cleaning(const struct registry *registry, const struct cleaning *cleaning)
{
	const struct cleaning *other;
	int waiting = 0;

	STAILQ_FOREACH(other, &registry->cleanings, link) {
		if (other->program == cleaning->program && other->version == cleaning->version &&
		    strcmp(other->address, cleaning->address) == 0)
			return false;
		waiting++;
	}
	return waiting < CLEANINGS_WAITING;
}

void registry_clean_async(struct registry *registry, uint32_t program, uint32_t version, const char *address)
{
	struct cleaning *cleaning = calloc(1, sizeof *cleaning);

	must_allocate(cleaning);
	cleaning->program = program;
	cleaning->version = version;
	snprintf(cleaning->address, sizeof cleaning->address, "%s", address);
	lock(registry);
	if (takes_cleaning(registry, cleaning)) {
		STAILQ_INSERT_TAIL(&registry->cleanings, cleaning, link);
		pthread_cond_signal(&registry->work);
		cleaning = NULL;
	}
	unlock(registry);
	free(cleaning);
}
