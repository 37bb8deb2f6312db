#include "tests/unit/support_replica.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/base/must.h"
#include "server/replica/check.h"

#define ENTRIES_MAX 9

struct core_rig rig;
static uint64_t push_token; /* of the last DO_PUSH */

struct uuid named(uint8_t number)
{
	return (struct uuid){.bytes = {number}};
}

struct digest initial_digest(void)
{
	return digest_of("initial", 7);
}

enum replica_known nothing_is_known(void *context, struct uuid client, uint64_t request, struct digest content,
				    uint64_t *op)
{
	(void)context;
	(void)client;
	(void)request;
	(void)content;
	(void)op;
	return KNOWN_NEW;
}

static enum replica_known lookup(void *context, struct uuid client, uint64_t request, struct digest content,
				 uint64_t *op)
{
	if (rig.executed_op == 0 || request > rig.executed_request)
		return nothing_is_known(context, client, request, content, op);
	if (request < rig.executed_request)
		return KNOWN_PASSED;
	*op = rig.executed_op;
	return KNOWN_DECIDED;
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

/* It knows only what it has been told to apply. */
static enum replica_admission admit(void *context, uint64_t token)
{
	(void)context;
	(void)token;
	assert_int_equal(replica_commit(rig.core), rig.carried_out);
	return rig.admission;
}

static uint64_t state_bytes(void *context)
{
	(void)context;
	return 1000;
}

static struct digest fold_of(uint64_t op, bool wrong)
{
	const uint64_t computed[] = {op, wrong};

	return digest_of(computed, sizeof computed);
}

static bool fold_at(void *context, uint64_t op, struct digest *fold)
{
	(void)context;
	*fold = fold_of(op, rig.fold_wrong_from > 0 && op >= rig.fold_wrong_from);
	return true;
}

void core_step(struct replica_event *event)
{
	event->now_ms = rig.now_ms;
	replica_step(rig.core, event, &rig.actions);
	replica_check(rig.core, REPLICA_TICK); /* each step may be the last of a test: all of it holds behind each */
	for (uint32_t i = 0; i < rig.actions.count; i++) {
		if (rig.actions.list[i].kind == DO_WRITE)
			rig.written = rig.actions.list[i].write.ticket;
		if (rig.actions.list[i].kind == DO_PUSH)
			push_token = rig.actions.list[i].push.token;
		if (rig.actions.list[i].kind == DO_APPLY)
			rig.carried_out = rig.actions.list[i].apply.op;
	}
}

const struct replica_action *did(enum replica_action_kind kind)
{
	for (uint32_t i = 0; i < rig.actions.count; i++) {
		if (rig.actions.list[i].kind == kind)
			return &rig.actions.list[i];
	}
	return NULL;
}

void durable(void)
{
	core_step(&(struct replica_event){.kind = REPLICA_DURABLE, .durable = {.ticket = rig.written}});
}

enum replica_state state_now(void)
{
	struct report report;

	replica_report(rig.core, &report);
	return report.state;
}

static uint32_t make_entries(struct replica_entry entries[static ENTRIES_MAX], uint8_t bodies[static ENTRIES_MAX],
			     uint64_t view, uint8_t first, uint32_t count)
{
	must(count <= ENTRIES_MAX);
	for (uint32_t i = 0; i < count; i++) {
		bodies[i] = (uint8_t)(first + i);
		entries[i] = (struct replica_entry){.view = view, .body = &bodies[i], .size = 1};
	}
	return count;
}

static void recover(uint32_t entries_count, uint64_t commit)
{
	struct replica_entry entries[ENTRIES_MAX];
	uint8_t bodies[ENTRIES_MAX];
	struct replica_meta meta = {.id = SELF, .uuid = named(SELF), .fold_differs_op = rig.fold_differs_op};

	if (entries_count > 0) {
		meta.view = rig.view;
		meta.view.number = 1;
		meta.bound = rig.view.manager;
		meta.whole_view = 1;
	}
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_BASE, .base = {.digest = initial_digest()}});
	core_step(&(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	if (entries_count > 0)
		core_step(&(struct replica_event){
			.kind = REPLICA_RECOVER_BATCH,
			.batch = {.base_digest = initial_digest(), .commit = commit, .entries = entries,
				  .entries_count = make_entries(entries, bodies, 1, 0, entries_count)}});
}

static void begin(uint32_t entries_count, uint64_t commit, uint64_t orders_max, bool admits)
{
	const struct replica_service service = {.lookup = lookup, .key = key, .fold_at = fold_at, .state_bytes = state_bytes,
						.admit = admits ? admit : NULL};
	const struct replica_options options = {.id = SELF, .push_mode = PUSH_DELTA, .heartbeat_ms = 50,
						.suspect_ms = 250,
						.stall_ms = 2000, .read_hold_ms = 100, .orders_max = orders_max,
						.log_bytes_max = 100000};

	uint64_t differs_op = rig.fold_differs_op;

	core_end(); /* of a test that failed */
	rig.fold_differs_op = differs_op;
	rig.now_ms = 1000;
	rig.core = replica_new(&options, &service);
	rig.view = (struct view){.number = 2, .format = FORMAT_HIGH, .keeper = {1, named(0xA)}, .maker = named(0xA), .primary = SELF, .cluster = named(0xC), .generation = named(0x6),
				 .manager = named(0xA), .members_count = 1,
				 .members = {{.id = SELF, .uuid = named(SELF)}}};
	rig.peers = (struct peers){.count = 1, .list = {{.id = PEER, .uuid = named(PEER),
							     .incarnation = named(0x12), .address = "2"}}};
	recover(entries_count, commit);
	core_step(&(struct replica_event){.kind = REPLICA_START});
	durable();
}

void core_begin(uint32_t entries_count, uint64_t commit)
{
	core_begin_with(entries_count, commit, 8);
}

void core_begin_with(uint32_t entries_count, uint64_t commit, uint64_t orders_max)
{
	begin(entries_count, commit, orders_max, false);
}

void core_begin_admitting(uint32_t entries_count, uint64_t commit)
{
	begin(entries_count, commit, 8, true);
}

void core_end(void)
{
	replica_free(rig.core);
	replica_actions_free(&rig.actions);
	memset(&rig, 0, sizeof rig);
}

void two_members(uint32_t primary)
{
	rig.view.primary = primary;
	rig.view.members_count = 2;
	rig.view.members[1] = (struct view_member){.id = PEER, .uuid = named(PEER)};
}

void install(const struct view *view)
{
	core_step(&(struct replica_event){.kind = REPLICA_INSTALL,
					  .install = {.token = ++rig.token, .view = view, .peers = &rig.peers}});
}

void lead(void)
{
	install(&rig.view);
	durable();
	assert_non_null(did(DO_INSTALLED));
	assert_true(did(DO_INSTALLED)->installed.ok);
}

void peer_up(uint64_t whole_view)
{
	const struct report report = {.whole_view = whole_view, .digest = initial_digest()};

	peer_up_with(&report);
}

void peer_up_with(const struct report *report)
{
	struct report whole = *report;

	whole.id = PEER;
	whole.uuid = named(PEER);
	core_step(&(struct replica_event){.kind = REPLICA_PEER_UP,
					  .peer_up = {.peer = {.id = PEER, .uuid = named(PEER)},
						      .incarnation = named(0x12), .report = &whole}});
}

void acknowledge_as(uint64_t view, uint8_t uuid, uint64_t op)
{
	const struct replica_ack ack = {.status = PUSH_OK, .view = view, .uuid = named(uuid), .op = op,
					.fold_op = rig.fold_op, .fold = fold_of(rig.fold_op, false),
					.state_next = STATE_NEXT_KEEP};

	acknowledge_with(&ack);
}

void acknowledge_with(const struct replica_ack *ack)
{
	core_step(&(struct replica_event){.kind = REPLICA_ACK,
					  .ack = {.from = {.id = PEER, .uuid = named(PEER)}, .token = push_token,
						  .ack = ack}});
}

void acknowledge(uint64_t op)
{
	acknowledge_as(replica_view(rig.core)->number, PEER, op);
}

void submit(uint64_t view, uint8_t request)
{
	core_step(&(struct replica_event){.kind = REPLICA_SUBMIT,
					  .submit = {.token = ++rig.token, .view = view, .client = named(0xC1),
						     .number = request, .content = digest_of(&request, 1)}});
}

void propose(uint64_t view, uint8_t request)
{
	core_step(&(struct replica_event){.kind = REPLICA_PROPOSE,
					  .propose = {.request = {.token = rig.token, .view = view,
								  .client = named(0xC1), .number = request,
								  .content = digest_of(&request, 1)},
						      .body = &request, .size = 1}});
	if (did(DO_ANSWER) != NULL)
		return;
	core_step(&(struct replica_event){.kind = REPLICA_FLUSH});
}

void query(uint64_t view, uint64_t floor)
{
	core_step(&(struct replica_event){.kind = REPLICA_QUERY,
					  .query = {.token = ++rig.token, .view = view, .floor = floor}});
}

void push(uint64_t base_op, struct digest base, uint64_t entry_view, uint8_t first, uint32_t count, uint64_t last_op,
	  uint64_t commit)
{
	struct replica_entry entries[ENTRIES_MAX];
	uint8_t bodies[ENTRIES_MAX];
	const struct replica_push content = {
		.view = rig.view.number, .record = &rig.view, .base_op = base_op, .base_digest = base,
		.last_op = last_op, .commit = commit, .fold_op = rig.fold_op,
		.fold = fold_of(rig.fold_op, false), .entries = entries,
		.entries_count = make_entries(entries, bodies, entry_view, first, count)};

	core_step(&(struct replica_event){.kind = REPLICA_PUSH,
					  .push = {.token = ++rig.token, .from = {.id = PEER, .uuid = named(PEER)},
						   .push = &content}});
}

void core_leads_alone(void)
{
	core_begin(0, 0);
	lead();
}

struct view next_view(void)
{
	struct view next = rig.view;

	next.number = 3;
	return next;
}

void submit_refused(uint64_t view, uint8_t request, enum replica_verdict verdict)
{
	submit(view, request);
	assert_null(did(DO_VALIDATE));
	assert_non_null(did(DO_ANSWER));
	assert_int_equal(did(DO_ANSWER)->answer.verdict, verdict);
}
