/* How discovery combines the answers of several hosts, in whatever order they arrive. rpcbind is simulated here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "frontend/discovery.h"
#include "rpc/cluster/identify.h"
#include "rpc/cluster/strangers.h"
#include "rpc/net/registry.h"

#define BASE 540000000

struct dump {
	char host[64];
	void (*done)(void *context, const char *host, const struct registry_entry *entries, int count,
		     const char *error);
	void *context;
};

static struct dump dumps[4];
static int dumps_count;

/* Replaces rpc/net/registry_async.c's: answered when the test says so. */
void registry_dump_async(struct registry *registry, const char *host, uint32_t low, uint32_t high, uint32_t timeout_ms,
			 void (*done)(void *context, const char *host, const struct registry_entry *entries, int count,
				      const char *error),
			 void *context)
{
	struct dump *dump = &dumps[dumps_count++];

	(void)registry;
	(void)timeout_ms;
	assert_int_equal(low, BASE - 4095);
	assert_int_equal(high, BASE + 4095);
	snprintf(dump->host, sizeof dump->host, "%s", host);
	dump->done = done;
	dump->context = context;
}

/* Replaces rpc/cluster/identify.c's: answered in the next iteration of the loop, as `who` says, or when the test says
 * so. */
struct identify {
	uint32_t program;
	identify_fn told;
	void *context;
};

static struct identity_told who[4200]; /* by number above BASE - 100; UNKNOWN and base 0: a replica of ours */
static struct identify asked[256];
static int asked_count;
static bool silent;                    /* none answers by itself */

static void tell(struct identify *question, const struct identity_told *told)
{
	identify_fn fn = question->told;

	question->told = NULL;
	fn(question->context, told);
}

static struct identity_told told_of(uint32_t program)
{
	struct identity_told told = who[program - (BASE - 100)];

	if (told.kind == IDENTIFY_REPLICA && told.program_base == 0)
		told = (struct identity_told){.kind = IDENTIFY_REPLICA, .program_base = BASE, .id = program - BASE};
	return told;
}

static void answer_by_itself(evutil_socket_t fd, short what, void *context)
{
	struct identify *question = context;
	struct identity_told told;

	(void)fd;
	(void)what;
	if (question->told == NULL)
		return;
	told = told_of(question->program);
	tell(question, &told);
}

struct identify *identify(struct event_base *base, const char *address, uint32_t program, uint32_t timeout_ms,
			  identify_fn told, void *context)
{
	static const struct timeval at_once;
	struct identify *question = &asked[asked_count++];

	(void)address;
	assert_true(timeout_ms > 0);
	assert_true(asked_count < 256);
	*question = (struct identify){.program = program, .told = told, .context = context};
	if (!silent)
		event_base_once(base, -1, EV_TIMEOUT, answer_by_itself, question, &at_once);
	return question;
}

void identify_cancel(struct identify *question)
{
	if (question != NULL)
		question->told = NULL;
}

const char *identify_text(const struct identity_told *told, char text[static IDENTIFY_TEXT])
{
	snprintf(text, IDENTIFY_TEXT, "kind %d of %u", (int)told->kind, told->program_base);
	return text;
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

static void dead(void *context, uint32_t id, const char *address)
{
	struct rig *rig = context;
	size_t used = strlen(rig->said);

	snprintf(rig->said + used, sizeof rig->said - used, "dead %u@%s ", id, address);
}

static const struct discovery_events events = {found, dumped, dead};

static void begin(struct rig *rig, const char *hosts, int count)
{
	memset(rig, 0, sizeof *rig);
	dumps_count = 0;
	asked_count = 0;
	silent = false;
	memset(who, 0, sizeof who);
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

/* Until no question is under way. */
static void turn(struct rig *rig)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(rig->base, EVLOOP_NONBLOCK);
}

static void next_round(struct rig *rig)
{
	rig->said[0] = '\0';
	dumps_count = 0;
	discovery_wake(rig->discovery);
	while (dumps_count == 0)
		event_base_loop(rig->base, EVLOOP_ONCE);
}

/* A killed process leaves its entry behind, and only its own host's rpcbind could say that it is gone. Found by chaos:
 * with the first answer only, a replica was looked for on the wrong host for 10 s. */
static void an_entry_hides_no_other_hosts(void **state)
{
	struct registry_entry left = entry(1, "tcp", "10.0.0.4:40001"), living = entry(1, "tcp", "10.0.0.1:40002");
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1,10.0.0.4", 2);
	answer("10.0.0.4", &left, 1);
	answer("10.0.0.1", &living, 1);
	turn(&rig);
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
	turn(&rig);
	assert_string_equal(rig.said, "2@10.0.0.1:40001 ");
	end(&rig);
}

/* A process that answers is accepted at once; that one does not answer is reported at the end of the round. */
static void a_silent_host_delays_no_other(void **state)
{
	struct registry_entry living = entry(3, "tcp", "10.0.0.1:40003");
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1,10.0.0.4", 2);
	answer("10.0.0.1", &living, 1);
	turn(&rig);
	assert_string_equal(rig.said, "3@10.0.0.1:40003 ");
	assert_int_equal(rig.rounds, 0);
	answer("10.0.0.4", NULL, -1);
	assert_int_equal(rig.rounds, 1);
	assert_false(rig.complete);
	assert_int_equal(rig.ids_count, 1);
	end(&rig);
}

static struct identity_told of_cluster(uint32_t base, uint32_t id)
{
	return (struct identity_told){.kind = IDENTIFY_REPLICA, .program_base = base, .id = id};
}

/* Rule 17: another cluster's program base is 100 less than ours, or 100 more: its replicas and its front-end have
 * numbers of ours. */
static void another_clusters_are_not_told(void **state)
{
	struct registry_entry entries[] = {entry(3, "tcp", "10.0.0.1:40003"), entry(100, "tcp", "10.0.0.1:40100"),
					   entry(101, "tcp", "10.0.0.1:40101"), entry(4, "tcp", "10.0.0.1:40004"),
					   entry((uint32_t)-7, "tcp", "10.0.0.1:39993")};
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	who[100 + 4] = of_cluster(BASE - 100, 104);
	who[100 + 100] = (struct identity_told){.kind = IDENTIFY_FRONTEND, .program_base = BASE + 100};
	who[100 + 101] = of_cluster(BASE + 100, 1);
	who[100 - 7] = of_cluster(BASE - 100, 93);
	answer("10.0.0.1", entries, 5);
	turn(&rig);
	assert_string_equal(rig.said, "3@10.0.0.1:40003 ");
	assert_int_equal(rig.rounds, 1);
	assert_int_equal(rig.ids_count, 1);
	assert_int_equal(rig.ids[0], 3);
	assert_false(discovery_lists(rig.discovery, 101));
	/* And none is asked again at every round. */
	next_round(&rig);
	answer("10.0.0.1", entries, 5);
	turn(&rig);
	assert_int_equal(asked_count, 5);
	assert_string_equal(rig.said, "3@10.0.0.1:40003 ");
	end(&rig);
}

/* The kind of the other service does not matter; but an entry whose process is gone is cleaned, and a silent one may
 * be a replica that hangs (rule 18). */
static void other_services_are_not_told(void **state)
{
	struct registry_entry entries[] = {entry(5, "tcp", "10.0.0.1:40005"), entry(6, "tcp", "10.0.0.1:40006"),
					   entry(7, "tcp", "10.0.0.1:40007")};
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	who[100 + 5].kind = IDENTIFY_OTHER;
	who[100 + 6].kind = IDENTIFY_GONE;
	who[100 + 7].kind = IDENTIFY_UNKNOWN;
	answer("10.0.0.1", entries, 3);
	turn(&rig);
	assert_string_equal(rig.said, "dead 6@10.0.0.1:40006 7@10.0.0.1:40007 ");
	assert_int_equal(rig.ids_count, 1);
	end(&rig);
}

/* Rule 18: an address not yet identified ends no round as a missing id. */
static void a_round_waits_for_whose_they_are(void **state)
{
	struct registry_entry entries[] = {entry(3, "tcp", "10.0.0.1:40003"), entry(4, "tcp", "10.0.0.1:40004")};
	struct identity_told ours = of_cluster(BASE, 3), other = of_cluster(BASE - 1, 5);
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	silent = true;
	answer("10.0.0.1", entries, 2);
	turn(&rig);
	assert_int_equal(rig.rounds, 0);
	assert_int_equal(asked_count, 2);
	tell(&asked[0], &ours);
	assert_string_equal(rig.said, "");
	assert_int_equal(rig.rounds, 0);
	tell(&asked[1], &other);
	assert_string_equal(rig.said, "3@10.0.0.1:40003 ");
	assert_int_equal(rig.rounds, 1);
	assert_int_equal(rig.ids_count, 1);
	end(&rig);
}

/* Rule 18: new replicas of a host are reported together, whichever answers first. */
static void new_ones_are_told_together(void **state)
{
	struct registry_entry entries[] = {entry(1, "tcp", "10.0.0.1:40001"), entry(2, "tcp", "10.0.0.1:40002")};
	struct identity_told first = of_cluster(BASE, 1), second = of_cluster(BASE, 2);
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	silent = true;
	answer("10.0.0.1", entries, 2);
	turn(&rig);
	tell(&asked[1], &second);
	assert_string_equal(rig.said, "");
	tell(&asked[0], &first);
	assert_string_equal(rig.said, "1@10.0.0.1:40001 2@10.0.0.1:40002 ");
	end(&rig);
}

/* Rule 19: each question costs a connection, so only so many are asked at once; the others follow. */
static void so_many_are_asked_at_once(void **state)
{
	struct identity_told ours = of_cluster(BASE, 1);
	struct registry_entry entries[100];
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	silent = true;
	for (uint32_t i = 0; i < 100; i++)
		entries[i] = entry(i + 1, "tcp", "10.0.0.1:40001");
	answer("10.0.0.1", entries, 100);
	turn(&rig);
	assert_int_equal(asked_count, 64);
	tell(&asked[0], &ours);
	tell(&asked[1], &ours);
	assert_int_equal(asked_count, 66);
	assert_string_equal(rig.said, "");
	end(&rig);
}

static void no_verdict(void *context, uint32_t program, const char *address)
{
	(void)context;
	fail_msg("%u at %s", program, address);
}

/* Rule 19: so many are remembered; any beyond count as ours, like all of which nothing is known. */
static void so_many_are_remembered(void **state)
{
	struct event_base *base = event_base_new();
	struct strangers *strangers = strangers_new(base, BASE, no_verdict, NULL);

	(void)state;
	asked_count = 0;
	silent = true;
	for (uint32_t i = 0; i < 16384; i++)
		assert_int_equal(strangers_look(strangers, BASE + 1 + i % 4000, i < 4000	  ? "10.0.0.1:40001"
									       : i < 8000  ? "10.0.0.2:40001"
									       : i < 12000 ? "10.0.0.3:40001"
									       : i < 16000 ? "10.0.0.4:40001"
											   : "10.0.0.5:40001"),
				 STRANGERS_ASKING);
	assert_int_equal(strangers_look(strangers, BASE + 4000, "10.0.0.6:40001"), STRANGERS_OURS);
	assert_int_equal(strangers_look(strangers, BASE + 1, "10.0.0.1:40001"), STRANGERS_ASKING);
	strangers_free(strangers);
	event_base_free(base);
}

/* Loopback addresses of another cluster do not hide ours. */
static void a_stranger_makes_no_mixture(void **state)
{
	struct registry_entry entries[] = {entry(1, "tcp", "127.0.0.1:40001"), entry(2, "tcp", "10.0.0.1:40002")};
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	who[100 + 1] = of_cluster(BASE - 5, 6);
	answer("10.0.0.1", entries, 2);
	turn(&rig);
	assert_string_equal(rig.said, "2@10.0.0.1:40002 ");
	end(&rig);
}

/* Rule 17: the number, and even the address, of one of ours is another cluster's now; its hello showed it. */
static void who_was_ours_is_asked_again_when_in_doubt(void **state)
{
	struct registry_entry one = entry(3, "tcp", "10.0.0.1:40003");
	struct rig rig;

	(void)state;
	begin(&rig, "10.0.0.1", 1);
	answer("10.0.0.1", &one, 1);
	turn(&rig);
	assert_string_equal(rig.said, "3@10.0.0.1:40003 ");
	who[100 + 3] = of_cluster(BASE - 5, 8);
	discovery_doubt(rig.discovery, 3);
	next_round(&rig);
	answer("10.0.0.1", &one, 1);
	turn(&rig);
	assert_string_equal(rig.said, "");
	assert_int_equal(rig.ids_count, 0);
	end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_hides_no_other_hosts),
		cmocka_unit_test(tcp_is_preferred_to_tcp6),
		cmocka_unit_test(a_silent_host_delays_no_other),
		cmocka_unit_test(another_clusters_are_not_told),
		cmocka_unit_test(other_services_are_not_told),
		cmocka_unit_test(a_round_waits_for_whose_they_are),
		cmocka_unit_test(new_ones_are_told_together),
		cmocka_unit_test(so_many_are_asked_at_once),
		cmocka_unit_test(so_many_are_remembered),
		cmocka_unit_test(a_stranger_makes_no_mixture),
		cmocka_unit_test(who_was_ours_is_asked_again_when_in_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
