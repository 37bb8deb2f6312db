/* The bytes that a replica is sent: the arguments of every procedure of rpc/replica.x that carries more than a number,
 * and the answers to its own pushes and hellos, decoded and converted as in the daemon and passed to the real core over
 * a real order history.
 *
 * Input: messages, each a kind (replica_calls.h), a byte of flags, 16 bits of length and that many bytes. A push
 * with flag 1 gets a valid base digest, so that the code behind that check is reached; flags / 2 choose the sender. */
#include <string.h>

#include "fuzz.h"
#include "replica_calls.h"
#include "replica_calls_shell.h"
#include "rpc/base/format.h"
#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"
#include "server/machine/operation.h"
#include "server/peers/push_wire.h"
#include "server/shop/order_encoding.h"

#define MESSAGES_MAX 64

/* --- messages ----------------------------------------------------------------------------------------------------- */

/* The digest at the last applied op, or at an op of the log above it. */
static bool digest_at(const struct shell *shell, uint64_t op, struct digest *digest)
{
	*digest = history_digest(machine_history(shell->machine));
	if (op < machine_op(shell->machine) || op > replica_last_op(shell->replica))
		return false;
	for (uint64_t at = machine_op(shell->machine) + 1; at <= op; at++) {
		struct replica_entry entry = replica_entry_at(shell->replica, at);

		*digest = digest_chain(*digest, entry.body, entry.size);
	}
	return true;
}

static void push(struct shell *shell, const jh_push_args *args, uint8_t flags)
{
	static struct view record;
	static struct replica_entry entries[LIMIT_PUSH_ENTRIES];
	struct replica_push push;
	struct digest digest;
	uint32_t id = 2 + flags / 2 % 3;

	if (!push_from_wire(args, &record, entries, &push))
		return;
	if (flags & 1 && digest_at(shell, push.base_op, &digest))
		push.base_digest = digest;
	shell->piece = args->state;
	shell_step(shell, &(struct replica_event){.kind = REPLICA_PUSH,
						  .push = {.token = shell_take_token(shell),
							   .from = {.id = id, .uuid = shell_uuid((uint8_t)id)},
							   .push = &push}});
	shell->piece = NULL;
}

static void install(struct shell *shell, const jh_install_args *args)
{
	static struct view view;
	static struct peers peers;
	struct uuid bound = replica_bound(shell->replica);

	/* As install_view_1_svc: only from the manager that we are bound to, and its own view. */
	if (!convert_install_from_wire(args, &view, &peers) ||
	    (!uuid_is_nil(bound) && !uuid_equal(view.manager, bound)))
		return;
	shell_step(shell, &(struct replica_event){.kind = REPLICA_INSTALL,
						  .install = {.token = shell_take_token(shell), .view = &view,
							      .peers = &peers}});
}

static void heartbeat(struct shell *shell, const jh_heartbeat_args *args)
{
	static struct peers peers;
	bool has_peers = args->has_peers &&
			 convert_peers_from_wire(args->peers.peers_val, args->peers.peers_len, &peers);

	shell_step(shell, &(struct replica_event){.kind = REPLICA_HEARTBEAT,
						  .heartbeat = {.view = args->view, .peers = has_peers ? &peers : NULL,
								.retire = args->retire,
								.min_members = args->min_members}});
}

static void submit(struct shell *shell, const jh_submit_args *args)
{
	const jh_order *asked = &args->operation.jh_operation_u.order;
	const struct body body = {.format = FORMAT_LOW, .client = convert_uuid_from_wire(args->client), .request = args->request,
				  .check = 2};
	struct order order = {.customer = {asked->customer.customer_val, asked->customer.customer_len},
			      .postcode = {asked->postcode.postcode_val, asked->postcode.postcode_len},
			      .items_count = asked->items.items_len};
	struct replica_event event = {.kind = REPLICA_SUBMIT, .submit = {.view = args->view}};
	struct replica_request *write = &event.submit;
	int64_t time_us;

	if (args->operation.kind != JH_OPERATION_ORDER)
		return;
	for (uint32_t i = 0; i < order.items_count; i++)
		order.items[i] = (struct text_span){asked->items.items_val[i].jh_item_val,
						    asked->items.items_val[i].jh_item_len};
	write->token = shell->token + 1;

	size_t size = order_encode_body(&body, &order, shell->bodies[write->token], sizeof shell->bodies[0]);

	if (size == 0)
		return;
	shell->sizes[write->token] = (uint32_t)size;
	must(operation_key(shell->bodies[write->token], size, &write->client, &write->number, &write->content,
			     &time_us));
	shell_take_token(shell);
	shell_step(shell, &event);
}

static struct connect *chosen(struct shell *shell, uint8_t flags)
{
	return shell->connects_count == 0 ? NULL : &shell->connects[flags % shell->connects_count];
}

static void peer_up(struct shell *shell, const jh_hello_result *wire, uint8_t flags)
{
	static struct report report;
	const struct connect *connect = chosen(shell, flags);

	if (connect != NULL && convert_report_from_wire(&wire->report, &report))
		shell_step(shell, &(struct replica_event){.kind = REPLICA_PEER_UP,
							  .peer_up = {.peer = {.id = connect->id, .uuid = connect->uuid},
								      .incarnation = connect->incarnation,
								      .report = &report}});
}

static void pushed(struct shell *shell, const jh_push_result *wire, uint8_t flags)
{
	struct connect *connect = chosen(shell, flags);
	struct replica_ack ack = {.status = (enum replica_push_status)wire->status, .view = wire->view,
				  .uuid = convert_uuid_from_wire(wire->uuid), .op = wire->op, .commit = wire->commit,
				  .commit_digest = convert_digest_from_wire(wire->commit_digest),
				  .state_next = wire->state_next, .disk_full = wire->disk_full};

	if (connect == NULL || connect->push == 0 || wire->status < JH_PUSH_OK || wire->status > JH_PUSH_REFUSED)
		return;

	struct replica_event event = {.kind = REPLICA_ACK,
				      .ack = {.from = {.id = connect->id, .uuid = connect->uuid},
					      .token = connect->push, .ack = &ack}};

	connect->push = 0;
	shell_step(shell, &event);
}

static void hear_hello(const jh_hello_args *args)
{
	struct identity who, meant;

	if (convert_identity_from_wire(&args->me, &who) && convert_identity_from_wire(&args->you, &meant))
		must(who.id <= 4095 && meant.id <= 4095);
}

/* Messages that carry arguments: decoded as the daemon's transport does. */
static void take_call(struct shell *shell, enum message message, uint8_t flags, const uint8_t *bytes, size_t size)
{
	static const xdrproc_t decoders[MESSAGES] = {
		[HEAR_PUSH] = (xdrproc_t)xdr_jh_push_args,
		[HEAR_INSTALL] = (xdrproc_t)xdr_jh_install_args,
		[HEAR_HEARTBEAT] = (xdrproc_t)xdr_jh_heartbeat_args,
		[HEAR_BIND] = (xdrproc_t)xdr_jh_bind_args,
		[HEAR_SUBMIT] = (xdrproc_t)xdr_jh_submit_args,
		[HEAR_QUERY] = (xdrproc_t)xdr_jh_query_args,
		[HEAR_PEER_UP] = (xdrproc_t)xdr_jh_hello_result,
		[HEAR_ACK] = (xdrproc_t)xdr_jh_push_result,
		[HEAR_HELLO] = (xdrproc_t)xdr_jh_hello_args,
	};
	union {
		jh_push_args push;
		jh_install_args install;
		jh_heartbeat_args heartbeat;
		jh_bind_args bind;
		jh_submit_args submit;
		jh_query_args query;
		jh_hello_result hello_answer;
		jh_push_result pushed;
		jh_hello_args hello;
	} args;
	XDR xdr;

	memset(&args, 0, sizeof args);
	xdrmem_create(&xdr, (char *)(uintptr_t)bytes, (u_int)size, XDR_DECODE);
	if (decoders[message](&xdr, &args, 0)) {
		switch (message) {
		case HEAR_PUSH:
			push(shell, &args.push, flags);
			break;
		case HEAR_INSTALL:
			install(shell, &args.install);
			break;
		case HEAR_HEARTBEAT:
			heartbeat(shell, &args.heartbeat);
			break;
		case HEAR_BIND:
			shell_step(shell, &(struct replica_event){.kind = REPLICA_BIND,
								  .bind = {.token = shell_take_token(shell),
									   .manager = convert_uuid_from_wire(args.bind.manager)}});
			break;
		case HEAR_SUBMIT:
			submit(shell, &args.submit);
			break;
		case HEAR_QUERY:
			shell_step(shell, &(struct replica_event){.kind = REPLICA_QUERY,
								  .query = {.token = shell_take_token(shell),
									    .view = args.query.view,
									    .floor = args.query.at_primary ? 0 : args.query.floor}});
			break;
		case HEAR_PEER_UP:
			peer_up(shell, &args.hello_answer, flags);
			break;
		case HEAR_ACK:
			pushed(shell, &args.pushed, flags);
			break;
		default:
			hear_hello(&args.hello);
			break;
		}
	}
	xdr_free(decoders[message], &args);
}

static void take_message(struct shell *shell, struct fuzz_input *input)
{
	enum message message = fuzz_u8(input) % MESSAGES;
	uint8_t flags = fuzz_u8(input);
	size_t size = fuzz_u16(input);
	const uint8_t *bytes = fuzz_take(input, &size);
	const struct connect *connect = chosen(shell, flags);
	struct replica_event event = {.kind = REPLICA_TICK};

	switch (message) {
	case HEAR_DURABLE:
		event = (struct replica_event){.kind = REPLICA_DURABLE, .durable = {.ticket = shell->ticket}};
		break;
	case HEAR_FLUSH:
		event.kind = REPLICA_FLUSH;
		break;
	case HEAR_TICK:
		shell->now_ms += (uint64_t)flags * 8;
		break;
	case HEAR_PEER_DOWN:
	case HEAR_PONG:
		if (connect == NULL)
			return;
		if (message == HEAR_PONG)
			event = (struct replica_event){.kind = REPLICA_PONG,
						       .pong = {.id = connect->id, .uuid = connect->uuid}};
		else
			event = (struct replica_event){.kind = REPLICA_PEER_DOWN,
						       .peer_down = {.id = connect->id, .uuid = connect->uuid}};
		break;
	case HEAR_DISK:
		shell->full = !shell->full;
		event = (struct replica_event){.kind = REPLICA_DISK, .disk = {.full = shell->full}};
		break;
	case HEAR_STOP:
		event.kind = REPLICA_STOP;
		break;
	default:
		take_call(shell, message, flags, bytes, size);
		return;
	}
	shell_step(shell, &event);
}

/* --- one life of a replica ---------------------------------------------------------------------------------------- */

void fuzz_one(const uint8_t *bytes, size_t size)
{
	static struct shell shell;
	struct fuzz_input input = {bytes, size};
	struct report report;

	memset(&shell, 0, sizeof shell);
	shell_start(&shell);
	for (int i = 0; i < MESSAGES_MAX && input.left > 0 && !shell.ended; i++)
		take_message(&shell, &input);
	replica_report(shell.replica, &report);
	shell_end(&shell);
}
