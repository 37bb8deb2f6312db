#include "replica_calls_shell.h"

#include <string.h>

#include "rpc/base/must.h"
#include "server/machine/operation.h"
#include "server/shop/initial_orders.h"
#include "server/shop/machine_service.h"

#define ORDERS_MAX 1000

struct uuid shell_uuid(uint8_t byte)
{
	struct uuid uuid;

	memset(uuid.bytes, byte, sizeof uuid.bytes);
	return uuid;
}

static void apply(struct shell *shell, uint64_t op)
{
	while (machine_op(shell->machine) < op && !shell->ended) {
		struct replica_entry entry = replica_entry_at(shell->replica, machine_op(shell->machine) + 1);

		/* A member that pushes entries which cannot be applied stops the process rather than let copies
		 * differ: see machine_service_apply. */
		if (machine_apply(shell->machine, entry.body, entry.size) != MACHINE_APPLIED)
			shell->ended = true;
	}
}

static void stage(struct shell *shell, const struct replica_stage *stage)
{
	const jh_state_chunk *piece = shell->piece;
	char error[256];
	struct replica_event *event = &shell->then;
	struct replica_staged *then = &event->staged;

	must(piece != NULL);
	if (piece->total > ORDERS_MAX) { /* as check_room in server/disk/staging.c */
		shell->ended = true;
		return;
	}
	if (piece->first == 0) {
		machine_free(shell->staging);
		shell->staging = machine_new(ORDERS_MAX);
	}
	*event = (struct replica_event){.kind = REPLICA_STAGED, .staged = {.token = stage->token, .ok = true}};
	if (shell->staging == NULL || history_count(machine_history(shell->staging)) != piece->first) {
		then->next = shell->staging == NULL ? 0 : history_count(machine_history(shell->staging));
		return;
	}
	then->ok = machine_decode(shell->staging, piece->initial_count, piece->records.records_val,
				 piece->records.records_len, error, sizeof error);
	then->next = history_count(machine_history(shell->staging));
	then->complete = then->ok && history_count(machine_history(shell->staging)) >= piece->total;
	if (then->complete && (machine_op(shell->staging) != stage->op ||
			       !digest_equal(history_digest(machine_history(shell->staging)), stage->digest)))
		then->ok = then->complete = false;
}

static void write_record(struct shell *shell, const struct replica_write *write)
{
	struct replica_meta meta;

	must(write->ticket > shell->ticket);
	shell->ticket = write->ticket;
	if (write->kind == WRITE_META)
		replica_meta_now(shell->replica, &meta);
	if (write->kind != WRITE_BATCH && write->kind != WRITE_STAGED)
		return;
	must(write->batch.last_op - write->batch.base_op <= LIMIT_PUSH_ENTRIES);
	for (uint64_t op = write->batch.base_op + 1; op <= write->batch.last_op; op++)
		must(replica_entry_at(shell->replica, op).size <= LIMIT_BODY_BYTES);
}

static void answered(struct shell *shell, uint64_t token)
{
	must(token < REQUESTS);
	must(shell->waits[token]); /* exactly once */
	shell->waits[token] = false;
}

static struct connect *connect_of(struct shell *shell, const struct replica_name *name)
{
	for (uint32_t i = 0; i < shell->connects_count; i++)
		if (shell->connects[i].id == name->id && uuid_equal(shell->connects[i].uuid, name->uuid))
			return &shell->connects[i];
	return NULL;
}

static void connect_to(struct shell *shell, const struct replica_connect *action)
{
	struct connect *connect = connect_of(shell, &action->to);

	if (connect == NULL) {
		if (shell->connects_count == CONNECTS) {
			shell->ended = true;
			return;
		}
		connect = &shell->connects[shell->connects_count++];
	}
	*connect = (struct connect){.id = action->to.id, .uuid = action->to.uuid, .incarnation = action->incarnation};
}

static void disconnect(struct shell *shell, const struct replica_name *name)
{
	struct connect *connect = connect_of(shell, name);

	if (connect != NULL)
		*connect = shell->connects[--shell->connects_count];
}

static void carry_out(struct shell *shell, const struct replica_action *action)
{
	struct connect *connect;

	switch (action->kind) {
	case DO_WRITE:
		write_record(shell, &action->write);
		break;
	case DO_APPLY:
		apply(shell, action->apply.op);
		break;
	case DO_ADOPT:
		must(shell->staging != NULL);
		must(machine_op(shell->staging) == action->adopt.op);
		machine_free(shell->machine);
		shell->machine = shell->staging;
		shell->staging = NULL;
		break;
	case DO_STAGE:
		stage(shell, &action->stage);
		break;
	case DO_UNSTAGE:
		machine_free(shell->staging);
		shell->staging = NULL;
		break;
	case DO_VALIDATE:
		must(shell->waits[action->validate.token]);
		shell->proposes[action->validate.token] = true;
		break;
	case DO_ANSWER:
		answered(shell, action->answer.token);
		break;
	case DO_READ:
	case DO_READ_MOVED:
		answered(shell, action->read.token);
		break;
	case DO_ACK:
		answered(shell, action->ack.token);
		break;
	case DO_INSTALLED:
		answered(shell, action->installed.token);
		break;
	case DO_BOUND:
		answered(shell, action->bound.token);
		break;
	case DO_PUSH:
		connect = connect_of(shell, &action->push.to);
		must(connect != NULL);
		connect->push = action->push.token;
		break;
	case DO_CONNECT:
		connect_to(shell, &action->connect);
		break;
	case DO_DISCONNECT:
		disconnect(shell, &action->disconnect);
		break;
	case DO_RETIRE:
	case DO_EXIT:
		shell->ended = true;
		break;
	case DO_PING:
	case DO_NEWS:
	case DO_LOG:
		break;
	}
}

static void step_once(struct shell *shell, const struct replica_event *event)
{
	struct replica_event now = *event;

	now.now_ms = shell->now_ms;
	replica_step(shell->replica, &now, &shell->actions);
	for (uint32_t i = 0; i < shell->actions.count && !shell->ended; i++)
		carry_out(shell, &shell->actions.list[i]);
}

static void propose(struct shell *shell, uint64_t token)
{
	struct replica_event event = {.kind = REPLICA_PROPOSE,
				      .propose = {.body = shell->bodies[token], .size = shell->sizes[token]}};
	struct replica_proposal *proposal = &event.propose;
	struct replica_request *write = &proposal->request;
	int64_t time_us;

	shell->proposes[token] = false;
	write->token = token;
	write->view = replica_view(shell->replica)->number;
	must(operation_key(proposal->body, proposal->size, &write->client, &write->number, &write->content,
			     &time_us));
	step_once(shell, &event);
}

void shell_step(struct shell *shell, const struct replica_event *event)
{
	step_once(shell, event);
	while (!shell->ended && shell->then.kind != REPLICA_RECOVER_BASE) {
		struct replica_event then = shell->then;

		shell->then = (struct replica_event){.kind = REPLICA_RECOVER_BASE};
		step_once(shell, &then);
	}
	for (uint64_t token = 1; token < REQUESTS && !shell->ended; token++)
		if (shell->proposes[token])
			propose(shell, token);
}

uint64_t shell_take_token(struct shell *shell)
{
	must(shell->token < REQUESTS - 1);
	shell->waits[++shell->token] = true;
	return shell->token;
}

static bool load(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return machine_load(context, body, size, error, error_size);
}

void shell_start(struct shell *shell)
{
	static const struct replica_options options = {.id = 1, .push_full_limit = 65536, .heartbeat_ms = 50,
						       .suspect_ms = 250, .stall_ms = 2000,
						       .read_hold_ms = 250, .orders_max = ORDERS_MAX,
						       .log_bytes_max = 4096};
	const struct replica_service service = machine_service(&shell->machine);
	const struct replica_meta meta = {.id = 1, .uuid = shell_uuid(1)};
	char error[INITIAL_ORDERS_ERROR_SIZE];

	shell->now_ms = 1000;
	shell->then.kind = REPLICA_RECOVER_BASE;
	shell->machine = machine_new(ORDERS_MAX);
	must(initial_orders_built_in(load, shell->machine, error, sizeof error));
	shell->replica = replica_new(&options, &service);
	step_once(shell, &(struct replica_event){.kind = REPLICA_RECOVER_BASE,
						 .base = {.digest = history_digest(machine_history(shell->machine))}});
	step_once(shell, &(struct replica_event){.kind = REPLICA_RECOVER_META, .meta = &meta});
	step_once(shell, &(struct replica_event){.kind = REPLICA_START});
	step_once(shell, &(struct replica_event){.kind = REPLICA_MANAGER, .manager = {.connected = true}});
}

void shell_end(struct shell *shell)
{
	replica_free(shell->replica);
	replica_actions_free(&shell->actions);
	machine_free(shell->machine);
	machine_free(shell->staging);
}
