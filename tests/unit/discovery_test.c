/* What discovery makes of the answers of several hosts, in whatever order they come. rpcbind is played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "frontend/discovery.h"
#include "rpc/registry.h"

#define BASE 540000000

struct dump {
	char host[64];
	void (*done)(void *context, const char *host, const struct registry_entry *entries, int count,
		     const char *error);
	void *context;
};

static struct dump dumps[4];
static int dumps_count;

/* Instead of rpc/registry_async.c's: answered when the test says so. */
void registry_dump_async(struct registry *registry, const char *host, uint32_t low, uint32_t high, uint32_t timeout_ms,
			 void (*done)(void *context, const char *host, const struct registry_entry *entries, int count,
				      const char *error),
			 void *context)
{
	struct dump *dump = &dumps[dumps_count++];

	(void)registry;
	(void)timeout_ms;
	assert_int_equal(low, BASE + 1);
	assert_true(high > low);
	snprintf(dump->host, sizeof dump->host, "%s", host);
	dump->done = done;
	dump->context = context;
}

struct rig {
	struct event_base *base;
	struct discovery *discovery;
	char said[256]; /* "1@10.0.0.1:1 " for each replica found */
	uint32_t ids[8], ids_count;
	int rounds;
	bool complete;
};

static void found(void *context, uint32_t id, const char *address)
{
	struct rig *rig = context;
	size_t used = strlen(rig->said);

	snprintf(rig->said + used, sizeof rig->said - used, "%u@%s ", id, address);
}

static void dumped(void *context, bool complete, const uint32_t *ids, uint32_t count)
{
	struct rig *rig = context;

	assert_true(count <= 8);
	memcpy(rig->ids, ids, count * sizeof *ids);
	rig->ids_count = count;
	rig->complete = complete;
	rig->rounds++;
}

static const struct discovery_events events = {found, dumped};

static void begin(struct rig *rig, const char *hosts, int count)
{
	memset(rig, 0, sizeof *rig);
	dumps_count = 0;
	rig->base = event_base_new();
	rig->discovery = discovery_new(rig->base, NULL, BASE, hosts, &events, rig);
	assert_non_null(rig->discovery);
	event_base_loop(rig->base, EVLOOP_ONCE); /* the round begins */
	assert_int_equal(dumps_count, count);
}

static void end(struct rig *rig)
{
	discovery_free(rig->discovery);
	event_base_free(rig->base);
}

static struct registry_entry entry(uint32_t id, const char *netid, const char *address)
{
	struct registry_entry entry = {.program = BASE + id, .version = 1};

	snprintf(entry.netid, sizeof entry.netid, "%s", netid);
	snprintf(entry.address, sizeof entry.address, "%s", address);
	return entry;
}

static void answer(const char *host, const struct registry_entry *entries, int count)
{
	for (int i = 0; i < dumps_count; i++) {
		if (strcmp(dumps[i].host, host) == 0) {
			dumps[i].done(dumps[i].context, host, entries, count, count < 0 ? "no answer" : NULL);
			return;
		}
	}
	fail_msg("%s was not asked", host);
}

/* A process that was killed leaves its entry behind, and only its own host's rpcbind could say that nobody is there.
 * Found by chaos: with the first answer only, a replica was looked for on the wrong host for 10 s. */
static void an_entry_hides_no_other_hosts(void **state)
{
	struct registry_entry left = entry(1, "tcp", "10.0.0.4:40001"), living = entry(1, "tcp", "10.0.0.1:40002");
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1,10.0.0.4", 2);
	answer("10.0.0.4", &left, 1);
	answer("10.0.0.1", &living, 1);
	assert_string_equal(rig.said, "1@10.0.0.4:40001 1@10.0.0.1:40002 ");
	assert_int_equal(rig.rounds, 1);
	assert_true(rig.complete);
	assert_int_equal(rig.ids_count, 1); /* one replica, all the same */
	assert_int_equal(rig.ids[0], 1);
	end(&rig);
}

/* One host's entries for both kinds of TCP are one address. */
static void tcp_is_preferred_to_tcp6(void **state)
{
	struct registry_entry both[] = {entry(2, "tcp6", "[fd00::1]:40001"), entry(2, "tcp", "10.0.0.1:40001"),
					entry(2, "tcp6", "[fd00::2]:40001")};
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	answer("10.0.0.1", both, 3);
	assert_string_equal(rig.said, "2@10.0.0.1:40001 ");
	end(&rig);
}

/* Who answers is believed at once; that somebody does not is said with the end of the round. */
static void a_silent_host_delays_no_other(void **state)
{
	struct registry_entry living = entry(3, "tcp", "10.0.0.1:40003");
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1,10.0.0.4", 2);
	answer("10.0.0.1", &living, 1);
	assert_string_equal(rig.said, "3@10.0.0.1:40003 ");
	assert_int_equal(rig.rounds, 0);
	answer("10.0.0.4", NULL, -1);
	assert_int_equal(rig.rounds, 1);
	assert_false(rig.complete);
	assert_int_equal(rig.ids_count, 1);
	end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_hides_no_other_hosts),
		cmocka_unit_test(tcp_is_preferred_to_tcp6),
		cmocka_unit_test(a_silent_host_delays_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
