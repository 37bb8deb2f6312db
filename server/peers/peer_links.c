#include "server/peers/peer_links.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/cluster/hello.h"
#include "rpc/net/channel.h"
#include "rpc/replica.h"
#include "server/machine/machine.h"
#include "server/peers/speaker.h"

#define PUSH_TIMEOUT_MS 600000u /* the core suspects silent peers; a connection that hangs this long is closed in any case */
#define PING_TIMEOUT_MS 60000u

struct link {
	struct link *next;
	struct peer_links *links;
	struct rpc_channel *channel;
	struct replica_name name;
	struct uuid incarnation;
	bool up;
	LIST_HEAD(, push_call) pushes;
};

struct peer_links {
	struct peer_links_options options;
	struct link *first;
	const char *push_kind;       /* of the last push; NULL: none yet */
	uint64_t push_bytes;
};

/* A push under way: which one an answer belongs to. */
struct push_call {
	LIST_ENTRY(push_call) entry;
	struct link *link;
	uint64_t token;
};

struct peer_links *peer_links_new(const struct peer_links_options *options)
{
	struct peer_links *links = calloc(1, sizeof *links);

	must_allocate(links);
	links->options = *options;
	return links;
}

/* An event of that link, for the core. */
static void tell(const struct peer_links *links, struct replica_event *event)
{
	links->options.event(links->options.context, event);
}

static void push_call_free(struct push_call *call)
{
	LIST_REMOVE(call, entry);
	free(call);
}

static struct link *link_find(const struct peer_links *links, const struct replica_name *name)
{
	for (struct link *link = links->first; link != NULL; link = link->next) {
		if (link->name.id == name->id && uuid_equal(link->name.uuid, name->uuid))
			return link;
	}
	return NULL;
}

static void link_close(struct link *link)
{
	struct link **slot = &link->links->first;

	while (*slot != link)
		slot = &(*slot)->next;
	*slot = link->next;
	rpc_channel_close(link->channel); /* forgets the calls in flight */
	for (struct push_call *call = LIST_FIRST(&link->pushes), *next; call != NULL; call = next) {
		next = LIST_NEXT(call, entry);
		push_call_free(call);
	}
	free(link);
}

void peer_links_disconnect(struct peer_links *links, const struct replica_name *name)
{
	struct link *link = link_find(links, name);

	if (link != NULL)
		link_close(link);
}

void peer_links_free(struct peer_links *links)
{
	while (links->first != NULL)
		link_close(links->first);
	free(links);
}

static void lose(struct link *link)
{
	struct peer_links *links = link->links;
	struct replica_event event = {.kind = REPLICA_PEER_DOWN, .peer_down = link->name};

	link_close(link);
	tell(links, &event);
	links->options.turn_end(links->options.context);
}

static void closed(void *context, enum rpc_end end, const char *reason)
{
	struct link *link = context;

	(void)end;
	log_debug("links", "connection ended replica=%" PRIu32 " reason=\"%s\"", link->name.id, reason);
	lose(link);
}

static void drop(struct link *link, const char *what, const char *reason)
{
	if (link->links->options.may_complain(link->links->options.context)) /* it is tried again at once */
		log_warn("links", "%s replica=%" PRIu32 " address=%s reason=\"%s\"", what, link->name.id,
			 rpc_channel_address(link->channel), reason);
	lose(link);
}

static void hello_answered(void *context, const struct rpc_reply *reply)
{
	struct link *link = context;
	struct hello_answer answer;

	if (reply->status == RPC_LOST)
		return; /* closed follows */
	if (!hello_read(reply, link->name.id, "that replica", "this one", &answer)) {
		drop(link, "closed: no answer to our hello", answer.text);
		return;
	}
	if (!speaker_is_meant(&link->name, link->incarnation, answer.status, &answer.identity)) {
		drop(link, "hello refused", answer.text[0] != '\0' ? answer.text : "another process than the one meant");
		return;
	}
	link->up = true;
	tell(link->links, &(struct replica_event){.kind = REPLICA_PEER_UP,
						  .peer_up = {.peer = link->name, .incarnation = link->incarnation,
							      .report = &answer.report}});
}

static void say_hello(void *context)
{
	struct link *link = context;
	struct identity me = link->links->options.identity(link->links->options.context);
	struct identity meant = speaker_meant(&me, &link->name, link->incarnation);

	me.purpose = PURPOSE_PUSH;
	hello_say(link->channel, &me, &meant, hello_answered, link);
}

static void turn_end(void *context)
{
	struct link *link = context;

	link->links->options.turn_end(link->links->options.context);
}

void peer_links_connect(struct peer_links *links, const struct replica_connect *connect)
{
	static const struct rpc_channel_events events = {.connected = say_hello,
							 .closed = closed,
							 .turn_end = turn_end};

	peer_links_disconnect(links, &connect->to);

	struct link *link = calloc(1, sizeof *link);

	must_allocate(link);
	*link = (struct link){.next = links->first, .links = links, .name = connect->to,
			      .incarnation = connect->incarnation};
	links->first = link;
	link->channel = rpc_channel_open(links->options.base, connect->address,
					 links->options.program_base + link->name.id, JH_REPLICA_V1, &events, link);
}

/* --- pushes ------------------------------------------------------------------------------------------------------- */

static bool ack_from_wire(const jh_push_result *wire, struct replica_ack *ack)
{
	if (wire->status < JH_PUSH_OK || wire->status > JH_PUSH_REFUSED)
		return false;
	*ack = (struct replica_ack){.status = (enum replica_push_status)wire->status, .view = wire->view,
				    .uuid = convert_uuid_from_wire(wire->uuid), .op = wire->op, .commit = wire->commit,
				    .commit_digest = convert_digest_from_wire(wire->commit_digest),
				    .state_next = wire->state_next, .fold_op = wire->fold_op,
				    .fold = convert_digest_from_wire(wire->fold), .disk_full = wire->disk_full,
				    .clock_us = wire->clock_us};
	return true;
}

static void pushed(void *context, const struct rpc_reply *reply)
{
	struct push_call *call = context;
	struct link *link = call->link;
	uint64_t token = call->token;
	struct replica_ack ack;
	jh_push_result wire = {0};

	push_call_free(call);
	if (reply->status == RPC_LOST)
		return;

	bool good = rpc_reply_decode(reply, (xdrproc_t)xdr_jh_push_result, &wire) && ack_from_wire(&wire, &ack);

	xdr_free((xdrproc_t)xdr_jh_push_result, &wire);
	if (!good) {
		drop(link, "closed: no answer to a push", reply->status == RPC_ANSWERED ? "malformed" : reply->error);
		return;
	}
	tell(link->links, &(struct replica_event){.kind = REPLICA_ACK,
						  .ack = {.from = link->name, .token = token, .ack = &ack}});
}

static void fill_state(const struct history *history, const struct replica_push *push, jh_state_chunk *state)
{
	static char records[LIMIT_STATE_CHUNK_BYTES];
	uint64_t next;
	uint64_t count = history_count(history);

	state->op = push->base_op;
	state->digest = convert_digest_to_wire(push->base_digest);
	state->initial_count = history_loaded(history);
	state->total = count;
	state->first = push->state_first < count ? push->state_first : count;
	must(push->base_op == history_op(history));
	state->records.records_len =
		(u_int)history_encode(history, state->first, push->base_op, &next, records, sizeof records);
	state->records.records_val = records;
}

void peer_links_push(struct peer_links *links, const struct replica_send *sent)
{
	static jh_log_entry entries[LIMIT_PUSH_ENTRIES];
	struct link *link = link_find(links, &sent->to);
	const struct replica_push *push = &sent->push;
	jh_push_args args = {.view = push->view, .base_op = push->base_op, .last_op = push->last_op, .commit = push->commit};
	jh_view record;
	jh_state_chunk state;

	must(link != NULL);
	must(link->up);
	args.base_digest = convert_digest_to_wire(push->base_digest);
	args.fold_op = push->fold_op;
	args.fold = convert_digest_to_wire(push->fold);
	if (push->record != NULL) {
		convert_view_to_wire(push->record, &record);
		args.record = &record;
	}
	links->push_bytes = 0;
	if (push->has_state) {
		fill_state(machine_history(*links->options.machine), push, &state);
		args.state = &state;
		links->push_bytes = state.records.records_len;
	}
	for (uint32_t i = 0; i < push->entries_count; i++) {
		struct replica_entry entry = replica_entry_at(links->options.replica, push->base_op + 1 + i);

		entries[i].view = entry.view;
		entries[i].body.body_len = entry.size;
		entries[i].body.body_val = (char *)(uintptr_t)entry.body;
		links->push_bytes += entry.size;
	}
	args.entries.entries_len = push->entries_count;
	args.entries.entries_val = entries;
	links->push_kind = push->has_state ? "full" : push->entries_count > 0 ? "delta" : "commit";

	struct push_call *call = malloc(sizeof *call);

	must_allocate(call);
	*call = (struct push_call){.link = link, .token = sent->token};
	LIST_INSERT_HEAD(&link->pushes, call, entry);
	push_1(&args, NULL, rpc_channel_call(link->channel, PUSH_TIMEOUT_MS, pushed, call));
	if (push->record != NULL)
		xdr_free((xdrproc_t)xdr_jh_view, &record);
}

/* --- pings -------------------------------------------------------------------------------------------------------- */

static void ponged(void *context, const struct rpc_reply *reply)
{
	struct link *link = context;

	if (reply->status == RPC_ANSWERED)
		tell(link->links, &(struct replica_event){.kind = REPLICA_PONG,
							  .pong = link->name});
}

void peer_links_ping(struct peer_links *links, const struct replica_name *name)
{
	struct link *link = link_find(links, name);
	struct timeval unused = {0};

	must(link != NULL);

	CLIENT *client = rpc_channel_call(link->channel, PING_TIMEOUT_MS, ponged, link);

	clnt_call(client, NULLPROC, (xdrproc_t)(void (*)(void))xdr_void, NULL, (xdrproc_t)(void (*)(void))xdr_void,
		  NULL, unused);
}

void peer_links_last_push(const struct peer_links *links, char *text, size_t size)
{
	if (links->push_kind == NULL)
		text[0] = '\0';
	else
		snprintf(text, size, "%s %" PRIu64 " B", links->push_kind, links->push_bytes);
}
