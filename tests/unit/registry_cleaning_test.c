/* Purpose: however often a dead entry is seen, and however slow rpcbind is, the registry's worker gets no more jobs
 * than necessary. rpcbind's blocking half is simulated here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "rpc/net/registry_internal.h"

#define LAST 999 /* after all others */

static sem_t begun, go_on;
static atomic_int cleaned, cleaned_again;
static atomic_bool last_came;

/* Replaces rpc/net/registry.c's: takes until the test says so. */
bool registry_clean(uint32_t program, uint32_t version, const char *address)
{
	(void)version;
	(void)address;
	if (program == LAST) {
		atomic_store(&last_came, true);
		return false;
	}
	sem_post(&begun);
	while (sem_wait(&go_on) != 0)
		continue;
	atomic_fetch_add(&cleaned, 1);
	if (program == 1001)
		atomic_fetch_add(&cleaned_again, 1);
	return false;
}

/* The rest of that file, which this test does not use. */
enum registry_set_result registry_set_by(uint32_t program, uint32_t version, const char *address, uint64_t patience_us,
					 int cancel_fd, char *error, size_t error_size)
{
	(void)version;
	(void)patience_us;
	(void)cancel_fd;
	snprintf(error, error_size, "%u at %s", program, address);
	return REGISTRY_FAILED;
}

void registry_unset_by(uint32_t program, uint32_t version, const char *address, uint64_t deadline_us)
{
	(void)program;
	(void)version;
	(void)address;
	(void)deadline_us;
}

int registry_dump(const char *host, uint32_t low, uint32_t high, struct registry_entry *entries, int entries_max,
		  uint32_t timeout_ms, char *error, size_t error_size)
{
	return registry_dump_or_cancel(host, low, high, entries, entries_max, timeout_ms, -1, error, error_size);
}

int registry_dump_or_cancel(const char *host, uint32_t low, uint32_t high, struct registry_entry *entries,
			    int entries_max, uint32_t timeout_ms, int cancel_fd, char *error, size_t error_size)
{
	(void)low;
	(void)high;
	(void)entries;
	(void)entries_max;
	(void)timeout_ms;
	(void)cancel_fd;
	snprintf(error, error_size, "%s", host);
	return -1;
}

/* Rule 19: the first is under way, and the worker hangs; of later jobs so many are queued, each once. */
static void cleanings_are_bounded(void **state)
{
	struct event_base *base = event_base_new();
	struct registry *registry = registry_new(base);

	(void)state;
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	registry_clean_async(registry, 1000, 1, "127.0.0.1:1");
	while (sem_wait(&begun) != 0)
		continue;
	for (int round = 0; round < 3; round++) {
		registry_clean_async(registry, 1001, 1, "127.0.0.1:1");
		registry_clean_async(registry, 1001, 1, "127.0.0.1:2"); /* another address makes it another job */
	}
	for (uint32_t i = 0; i < 1000; i++)
		registry_clean_async(registry, 2000 + i, 1, "127.0.0.1:1");
	for (int i = 0; i < 2000; i++)
		sem_post(&go_on);
	while (!atomic_load(&last_came)) {
		registry_clean_async(registry, LAST, 1, "127.0.0.1:1");
		sched_yield();
	}
	assert_int_equal(atomic_load(&cleaned_again), 2);
	assert_int_equal(atomic_load(&cleaned), 1 + 256);
	registry_free(registry);
	event_base_free(base);
	sem_destroy(&begun);
	sem_destroy(&go_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleanings_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
