/* Single steps of one replica, for rules whose breach a whole cluster shows only rarely, because another line keeps it
 * from doing harm most of the time. Each test takes the replica to the edge and asks for the one thing it must not
 * do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/base/must.h"
#include "server/replica/replica.h"

#define SELF 1
#define PEER 2

static struct replica *core;
static struct replica_actions actions;
static uint64_t now_ms;
static uint64_t tokens;
static uint64_t written; /* the last ticket asked for */
static struct view view;
static struct peers directory;

static struct uuid named(uint8_t number)
{
	return (struct uuid){.bytes = {number}};
}

static enum replica_known lookup(void *context, struct uuid client, uint64_t request, struct digest content, uint64_t *op)
{
	(void)context;
	(void)client;
	(void)request;
	(void)content;
	(void)op;
	return KNOWN_NEW;
}

/* A body is one byte: the request's number. */
static bool key(void *context, const uint8_t *body, uint32_t size, struct uuid *client, uint64_t *request,
		struct digest *content)
{
	(void)context;
	(void)size;
	*client = named(0xC1);
	*request = *body;
	*content = digest_of(body, 1);
	return true;
}

static uint64_t state_bytes(void *context)
{
	(void)context;
	return 1000;
}

static void step(struct replica_event *event)
{
	event->now_ms = now_ms;
	replica_step(core, event, &actions);
	for (uint32_t i = 0; i < actions.count; i++) {
		if (actions.list[i].kind == DO_WRITE)
			written = actions.list[i].ticket;
	}
}

/* The first of that kind in the last step; NULL: none. */
static const struct replica_action *did(enum replica_action_kind kind)
{
	for (uint32_t i = 0; i < actions.count; i++) {
		if (actions.list[i].kind == kind)
			return &actions.list[i];
	}
	return NULL;
}

static void durable(void)
{
	step(&(struct replica_event){.kind = REPLICA_DURABLE, .ticket = written});
}

static enum replica_state state_now(void)
{
	struct report report;

	replica_report(core, &report);
	return report.state;
}

/* A replica whose disk holds so many entries of view 1, none of them known to be committed; never in a view with 0. */
static void begin(uint32_t entries_count)
{
	static const struct replica_service service = {.lookup = lookup, .key = key, .state_bytes = state_bytes};
	const struct replica_options options = {.id = SELF, .push_mode = PUSH_DELTA, .heartbeat_ms = 50, .suspect_ms = 250,
						.stall_ms = 2000, .read_hold_ms = 100, .orders_max = 1000,
						.log_bytes_max = 100000};
	struct replica_entry entries[8];
	uint8_t bodies[8];
	struct replica_meta meta = {.id = SELF, .uuid = named(SELF)};

	now_ms = 1000;
	core = replica_new(&options, &service);
	view = (struct view){.number = 1, .primary = SELF, .cluster = named(0xC), .generation = named(0x6),
			     .manager = named(0xA), .members_count = 1, .members = {{.id = SELF, .uuid = named(SELF)}}};
	directory = (struct peers){.count = 1, .list = {{.id = PEER, .uuid = named(PEER), .incarnation = named(0x12),
							 .address = "2"}}};
	if (entries_count > 0) {
		meta.view = view;
		meta.bound = view.manager;
		meta.whole_view = 1;
	}
	step(&(struct replica_event){.kind = REPLICA_RECOVER_BASE, .digest = digest_of("initial", 7)});
	step(&(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	for (uint8_t i = 0; i < entries_count; i++) {
		bodies[i] = i;
		entries[i] = (struct replica_entry){.view = 1, .body = &bodies[i], .size = 1};
	}
	if (entries_count > 0)
		step(&(struct replica_event){.kind = REPLICA_RECOVER_BATCH, .digest = digest_of("initial", 7),
					     .entries = entries, .entries_count = entries_count});
	step(&(struct replica_event){.kind = REPLICA_START});
	durable();
	view.number = 2;
}

static void end(void)
{
	replica_free(core);
	replica_actions_free(&actions);
}

static void two_members(uint32_t primary)
{
	view.primary = primary;
	view.members_count = 2;
	view.members[1] = (struct view_member){.id = PEER, .uuid = named(PEER)};
}

static void install(const struct view *wanted)
{
	step(&(struct replica_event){.kind = REPLICA_INSTALL, .token = ++tokens, .install = wanted, .peers = &directory});
}

/* Primary of `view`, durably. */
static void lead(void)
{
	install(&view);
	durable();
	assert_non_null(did(DO_INSTALLED));
	assert_true(did(DO_INSTALLED)->ok);
}

/* The peer's connection is up, and it holds nothing but what everybody was loaded with. Returns the push that goes to
 * it. */
static uint64_t peer_up(uint64_t whole_view)
{
	struct report report = {.id = PEER, .uuid = named(PEER), .whole_view = whole_view,
				.digest = digest_of("initial", 7)};

	step(&(struct replica_event){.kind = REPLICA_PEER_UP, .id = PEER, .uuid = named(PEER), .incarnation = named(0x12),
				     .report = &report});
	assert_non_null(did(DO_PUSH));
	return did(DO_PUSH)->token;
}

static void acknowledge(uint64_t push, uint64_t of_view, uint8_t of_uuid, uint64_t op)
{
	const struct replica_ack ack = {.status = PUSH_OK, .view = of_view, .uuid = named(of_uuid), .op = op,
					.state_next = STATE_NEXT_KEEP};

	step(&(struct replica_event){.kind = REPLICA_ACK, .id = PEER, .uuid = named(PEER), .token = push, .ack = &ack});
}

static void submit(uint64_t of_view, uint8_t request)
{
	step(&(struct replica_event){.kind = REPLICA_SUBMIT, .token = ++tokens, .view = of_view, .client = named(0xC1),
				     .request = request, .content = digest_of(&request, 1)});
}

/* The order of the last submit is judged good, and is on this replica's own disk. */
static void propose(uint8_t request)
{
	step(&(struct replica_event){.kind = REPLICA_PROPOSE, .token = tokens, .view = 2, .client = named(0xC1),
				     .request = request, .content = digest_of(&request, 1), .body = &request, .size = 1});
	step(&(struct replica_event){.kind = REPLICA_FLUSH});
	durable();
}

/* --- rule 4 ------------------------------------------------------------------------------------------------------- */

/* Rule 4: a submit counts in exactly the view that is served; for any other the answer is "moved". */
static void submits_name_the_view(void **state)
{
	(void)state;
	begin(0);
	lead();
	for (uint64_t other = 1; other <= 3; other += 2) {
		submit(other, 1);
		assert_null(did(DO_JUDGE));
		assert_non_null(did(DO_ANSWER));
		assert_int_equal(did(DO_ANSWER)->verdict, VERDICT_MOVED);
	}
	submit(2, 1);
	assert_non_null(did(DO_JUDGE));
	end();
}

/* Rule 4: an acknowledgement of another view, or of another data directory, moves nothing. */
static void acknowledgements_name_view_and_uuid(void **state)
{
	uint64_t push;

	(void)state;
	begin(2);
	two_members(SELF);
	lead();
	push = peer_up(1);
	acknowledge(push, 1, PEER, 2);
	assert_int_equal(replica_commit(core), 0);
	assert_int_equal(state_now(), STATE_SETTLING);
	assert_non_null(did(DO_PUSH)); /* asked again */
	acknowledge(did(DO_PUSH)->token, 2, 0x77, 2);
	assert_int_equal(replica_commit(core), 0);
	assert_int_equal(state_now(), STATE_SETTLING);
	acknowledge(did(DO_PUSH)->token, 2, PEER, 2);
	assert_int_equal(replica_commit(core), 2);
	assert_int_equal(state_now(), STATE_SERVING);
	end();
}

/* --- rule 5 ------------------------------------------------------------------------------------------------------- */

/* Rule 5: a member that has a part of the primary's log does not end the settling; it serves nothing until then. */
static void settles_before_it_serves(void **state)
{
	(void)state;
	begin(3);
	two_members(SELF);
	lead();
	acknowledge(peer_up(1), 2, PEER, 1);
	assert_int_equal(state_now(), STATE_SETTLING);
	step(&(struct replica_event){.kind = REPLICA_QUERY, .token = ++tokens, .view = 2});
	assert_null(did(DO_READ));
	assert_non_null(did(DO_READ_MOVED));
	end();
}

/* --- rule 7 ------------------------------------------------------------------------------------------------------- */

/* Rule 7: the primary has committed more than this push shows to be equal here; what else is in the log may be a tail
 * that does not survive. */
static void applies_only_what_is_proved(void **state)
{
	static const uint8_t body = 0;
	const struct replica_entry entry = {.view = 1, .body = &body, .size = 1};
	struct replica_push push;

	(void)state;
	begin(3);
	two_members(PEER);
	push = (struct replica_push){.view = 2, .record = &view, .base_digest = digest_of("initial", 7), .last_op = 3,
				     .commit = 2, .entries_count = 1, .entries = &entry};
	step(&(struct replica_event){.kind = REPLICA_PUSH, .token = ++tokens, .id = PEER, .uuid = named(PEER), .push = &push});
	durable();
	assert_int_equal(replica_commit(core), 1);
	end();
}

/* Rule 7: the commit point waits for every member; a peer that is none does not count. */
static void commits_with_every_member(void **state)
{
	uint64_t push;

	(void)state;
	begin(2);
	two_members(SELF);
	lead();
	assert_int_equal(replica_commit(core), 0);
	push = peer_up(1);
	assert_int_equal(replica_commit(core), 0);
	acknowledge(push, 2, PEER, 2);
	assert_int_equal(replica_commit(core), 2);
	submit(2, 7);
	propose(7);
	assert_int_equal(replica_commit(core), 2);
	end();
}

/* Rule 7: no batch on disk says that these three were committed, so a start applies none of them. */
static void a_start_applies_what_was_committed(void **state)
{
	(void)state;
	begin(3);
	assert_int_equal(replica_last_op(core), 3);
	assert_int_equal(replica_commit(core), 0);
	end();
}

/* --- rule 8 ------------------------------------------------------------------------------------------------------- */

/* Rule 8: a read of another view is refused. */
static void reads_name_the_view(void **state)
{
	(void)state;
	begin(0);
	lead();
	step(&(struct replica_event){.kind = REPLICA_QUERY, .token = ++tokens, .view = 3});
	assert_null(did(DO_READ));
	step(&(struct replica_event){.kind = REPLICA_QUERY, .token = ++tokens, .view = 2});
	assert_non_null(did(DO_READ));
	end();
}

/* --- rule 9 ------------------------------------------------------------------------------------------------------- */

/* Rule 9: once a learner is written down as joint, nothing is committed without it. */
static void a_joint_learner_counts(void **state)
{
	uint64_t push;
	struct report report;

	(void)state;
	begin(0);
	lead();
	push = peer_up(0); /* the state, */
	acknowledge(push, 2, PEER, 0);
	assert_non_null(did(DO_PUSH)); /* and what follows */
	acknowledge(did(DO_PUSH)->token, 2, PEER, 0);
	durable();
	replica_report(core, &report);
	assert_int_equal(report.joint_count, 1);
	submit(2, 1);
	propose(1);
	assert_int_equal(replica_commit(core), 0);
	assert_null(did(DO_ANSWER));
	end();
}

/* --- rule 13 ------------------------------------------------------------------------------------------------------ */

/* Rule 13: a full disk refuses orders, by name of the replica; room heals it; reads go on. */
static void a_full_disk_refuses(void **state)
{
	(void)state;
	begin(0);
	lead();
	step(&(struct replica_event){.kind = REPLICA_DISK, .disk_full = true});
	submit(2, 1);
	assert_null(did(DO_JUDGE));
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->verdict, VERDICT_DISK_FULL);
	assert_int_equal(did(DO_ANSWER)->id, SELF);
	step(&(struct replica_event){.kind = REPLICA_QUERY, .token = ++tokens, .view = 2});
	assert_non_null(did(DO_READ));
	step(&(struct replica_event){.kind = REPLICA_DISK, .disk_full = false});
	submit(2, 1);
	assert_non_null(did(DO_JUDGE));
	end();
}

/* --- rules 17, 20 ------------------------------------------------------------------------------------------------- */

static void refuses(const struct view *other)
{
	install(other);
	assert_null(did(DO_WRITE));
	assert_non_null(did(DO_INSTALLED));
	assert_false(did(DO_INSTALLED)->ok);
	assert_int_equal(replica_view(core)->number, 2);
}

/* Rule 17: a view of another cluster is refused, whoever brings it. */
static void views_name_the_cluster(void **state)
{
	struct view other;

	(void)state;
	begin(0);
	lead();
	other = view;
	other.number = 3;
	other.cluster = named(0xCC);
	refuses(&other);
	end();
}

/* Rule 20: a view of another manager than the one this replica is bound to is refused. */
static void views_name_the_manager(void **state)
{
	struct view other;

	(void)state;
	begin(0);
	lead();
	other = view;
	other.number = 3;
	other.manager = named(0xAA);
	refuses(&other);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submits_name_the_view),
		cmocka_unit_test(acknowledgements_name_view_and_uuid),
		cmocka_unit_test(settles_before_it_serves),
		cmocka_unit_test(applies_only_what_is_proved),
		cmocka_unit_test(commits_with_every_member),
		cmocka_unit_test(a_start_applies_what_was_committed),
		cmocka_unit_test(reads_name_the_view),
		cmocka_unit_test(a_joint_learner_counts),
		cmocka_unit_test(a_full_disk_refuses),
		cmocka_unit_test(views_name_the_cluster),
		cmocka_unit_test(views_name_the_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
