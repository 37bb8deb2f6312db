#include "frontend/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "frontend/link_answer.h"
#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/cluster/hello.h"
#include "rpc/net/channel.h"

#define MANAGE_TIMEOUT_MS 10000
#define WATCH_TIMEOUT_MS 3600000u
/* A process that answers none of these hangs, and more of them would only fill its socket. */
#define HEARTBEATS_UNDER_WAY 8
#define PEERS_EVERY_US 1000000u
#define SPARE_CALLS 8192

struct link;

/* A SUBMIT or QUERY under way. */
struct link_call {
	struct link *link;
	struct link_call **slot; /* the owner's handle; NULL: forgotten */
	void *owner;
	TAILQ_ENTRY(link_call) entry; /* link->calls or links->spare */
};

TAILQ_HEAD(link_calls, link_call);

struct link {
	struct links *links;
	uint32_t id;
	struct rpc_channel *channel;
	struct link_calls calls;
	bool watching;
	uint64_t news; /* of the last report */
	uint32_t heartbeats;
	uint64_t peers_version, peers_us; /* last sent */
};

struct links {
	struct event_base *base;
	uint32_t program_base;
	struct links_events events;
	void *context;
	struct link *by_id[LIMIT_PROGRAM_NUMBERS];
	char address[LIMIT_ADDRESS_BYTES];
	uint32_t suspect_ms;
	struct peers peers;
	uint64_t peers_version;
	struct link_calls spare;
	size_t spare_count;
};

struct links *links_new(struct event_base *base, uint32_t program_base, const struct links_events *events,
			void *context)
{
	struct links *links = calloc(1, sizeof *links);

	must_allocate(links);
	links->base = base;
	links->program_base = program_base;
	links->events = *events;
	links->context = context;
	TAILQ_INIT(&links->spare);
	return links;
}

void links_free(struct links *links)
{
	struct link_call *call;

	if (links == NULL)
		return;
	for (uint32_t id = 0; id <= LIMIT_REPLICA_ID; id++)
		links_disconnect(links, id);
	while ((call = TAILQ_FIRST(&links->spare)) != NULL) {
		TAILQ_REMOVE(&links->spare, call, entry);
		must(TAILQ_FIRST(&links->spare) != call);
		free(call);
	}
	free(links);
}

/* --- connections -------------------------------------------------------------------------------------------------- */

static void call_free(struct link_call *call)
{
	struct links *links = call->link->links;

	if (call->slot != NULL)
		*call->slot = NULL;
	TAILQ_REMOVE(&call->link->calls, call, entry);
	if (links->spare_count >= SPARE_CALLS) {
		free(call);
		return;
	}
	TAILQ_INSERT_HEAD(&links->spare, call, entry);
	links->spare_count++;
}

void links_disconnect(struct links *links, uint32_t id)
{
	struct link *link = links->by_id[id];

	if (link == NULL)
		return;
	for (struct link_call *call = TAILQ_FIRST(&link->calls), *next; call != NULL; call = next) {
		next = TAILQ_NEXT(call, entry);
		call_free(call);
	}
	rpc_channel_close(link->channel);
	links->by_id[id] = NULL;
	free(link);
}

static void lose(struct link *link, bool refused)
{
	struct links *links = link->links;
	uint32_t id = link->id;

	links_disconnect(links, id);
	links->events.lost(links->context, id, refused);
}

static void channel_closed(void *context, enum rpc_end end, const char *reason)
{
	struct link *link = context;

	log_debug("links", "connection ended replica=%u address=%s reason=\"%s\"", link->id,
		  rpc_channel_address(link->channel), reason);
	lose(link, end == RPC_END_REFUSED);
}

/* An answer that cannot be decoded ends the connection: nothing after it can be trusted. */
static void nonsense(struct link *link, const char *what)
{
	log_warn("links", "closed: %s replica=%u address=%s", what, link->id, rpc_channel_address(link->channel));
	lose(link, false);
}

/* True when the answer is a report of that replica. Everything else has been dealt with. */
static bool take_report(struct link *link, const jh_report *wire, struct report *report)
{
	if (!convert_report_from_wire(wire, report) || report->id != link->id) {
		nonsense(link, "its report makes no sense");
		return false;
	}
	link->news = report->news;
	return true;
}

/* --- watch -------------------------------------------------------------------------------------------------------- */

static void watched(void *context, const struct rpc_reply *reply);

static void watch(struct link *link)
{
	jh_watch_args args = {.seen = link->news};

	if (link->watching)
		return;
	link->watching = true;
	watch_1(&args, NULL, rpc_channel_call(link->channel, WATCH_TIMEOUT_MS, watched, link));
}

static void watched(void *context, const struct rpc_reply *reply)
{
	struct link *link = context;
	struct links *links = link->links;
	struct report report;
	jh_report wire = {0};

	link->watching = false;
	if (reply->status == RPC_LOST)
		return;
	if (reply->status == RPC_LATE) {
		watch(link);
		return;
	}
	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_report, &wire)) {
		nonsense(link, reply->status == RPC_REJECTED ? reply->error : "its answer to WATCH is malformed");
		return;
	}
	if (take_report(link, &wire, &report)) {
		watch(link);
		links->events.report(links->context, link->id, &report);
	}
	xdr_free((xdrproc_t)xdr_jh_report, &wire);
}

/* --- hello -------------------------------------------------------------------------------------------------------- */

static void hello_answered(void *context, const struct rpc_reply *reply)
{
	struct link *link = context;
	struct links *links = link->links;
	struct hello_answer answer;

	if (reply->status == RPC_LOST)
		return; /* channel_closed follows */
	if (!hello_read(reply, link->id, "the replica", "the front-end", &answer)) {
		nonsense(link, answer.text);
		return;
	}
	if (answer.is_understood)
		link->news = answer.report.news;
	if (answer.status == HELLO_OK)
		watch(link);
	links->events.hello(links->context, link->id, answer.status, answer.text,
			    answer.is_understood ? &answer.identity : NULL,
			    answer.is_understood ? &answer.report : NULL);
}

void links_connect(struct links *links, uint32_t id, const char *address, const struct identity *me)
{
	static const struct rpc_channel_events events = {.closed = channel_closed};
	struct identity you = {.program_base = links->program_base, .id = id};
	struct link *link = calloc(1, sizeof *link);

	must_allocate(link);
	must(id > 0 && id <= LIMIT_REPLICA_ID);
	links_disconnect(links, id);
	links->by_id[id] = link;
	link->links = links;
	link->id = id;
	TAILQ_INIT(&link->calls);
	link->channel = rpc_channel_open(links->base, address, links->program_base + id, JH_REPLICA_V1, &events, link);
	hello_say(link->channel, me, &you, hello_answered, link);
}

uint64_t links_heard_us(const struct links *links, uint32_t id)
{
	return links->by_id[id] == NULL ? 0 : rpc_channel_heard_us(links->by_id[id]->channel);
}

/* --- what the view manager sends ---------------------------------------------------------------------------------- */

void links_set_self(struct links *links, const char *address, uint32_t suspect_ms)
{
	snprintf(links->address, sizeof links->address, "%s", address);
	links->suspect_ms = suspect_ms;
}

void links_set_peers(struct links *links, const struct peers *peers)
{
	if (links->peers_version > 0 && links->peers.count == peers->count &&
	    memcmp(links->peers.list, peers->list, peers->count * sizeof peers->list[0]) == 0)
		return;
	links->peers = *peers;
	links->peers_version++;
}

static void heart_beat(void *context, const struct rpc_reply *reply)
{
	struct link *link = context;
	struct links *links = link->links;
	struct report report;
	jh_report wire = {0};

	link->heartbeats--;
	if (reply->status == RPC_LOST || reply->status == RPC_LATE)
		return;
	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_report, &wire)) {
		nonsense(link, reply->error != NULL ? reply->error : "its answer to HEARTBEAT is malformed");
		return;
	}
	if (take_report(link, &wire, &report))
		links->events.report(links->context, link->id, &report);
	xdr_free((xdrproc_t)xdr_jh_report, &wire);
}

void links_heartbeat(struct links *links, uint32_t id, uint64_t view, bool retire, uint32_t min_members,
		     uint32_t full_wait_ms)
{
	struct link *link = links->by_id[id];
	uint64_t now_us = rpc_clock_us();
	jh_heartbeat_args args = {.view = view, .retire = retire, .min_members = min_members,
				 .full_wait_ms = full_wait_ms};

	if (link == NULL || link->heartbeats >= HEARTBEATS_UNDER_WAY)
		return;
	args.frontend = convert_address_dup(links->address);
	args.suspect_ms = links->suspect_ms;
	args.directory_version = links->peers_version;
	if (link->peers_version != links->peers_version || now_us - link->peers_us >= PEERS_EVERY_US) {
		args.has_peers = TRUE;
		convert_peers_to_wire(&links->peers, &args.peers.peers_len, &args.peers.peers_val);
		link->peers_version = links->peers_version;
		link->peers_us = now_us;
	}
	link->heartbeats++;
	heartbeat_1(&args, NULL, rpc_channel_call(link->channel, MANAGE_TIMEOUT_MS, heart_beat, link));
	xdr_free((xdrproc_t)xdr_jh_heartbeat_args, &args);
}

/* Both INSTALL_VIEW and BIND_MANAGER; `done` is told of a success. */
static void managed(struct link *link, const struct rpc_reply *reply, const char *what,
		    void (*done)(void *context, uint32_t id, const struct report *report))
{
	struct links *links = link->links;
	struct report report;
	char text[REPORT_TEXT_SIZE];
	jh_manage_result wire = {0};

	if (reply->status == RPC_LOST || reply->status == RPC_LATE)
		return;
	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_manage_result, &wire)) {
		nonsense(link, reply->error != NULL ? reply->error : "its answer to the manager is malformed");
		return;
	}
	if (wire.status != JH_MANAGE_OK)
		log_warn("links", "%s refused: %s replica=%u", what,
			 convert_text(text, sizeof text, wire.error.jh_text_val, wire.error.jh_text_len), link->id);
	if (take_report(link, &wire.report, &report)) {
		if (wire.status == JH_MANAGE_OK)
			watch(link);
		(wire.status == JH_MANAGE_OK ? done : links->events.report)(links->context, link->id, &report);
	}
	xdr_free((xdrproc_t)xdr_jh_manage_result, &wire);
}

static void installed(void *context, const struct rpc_reply *reply)
{
	struct link *link = context;

	managed(link, reply, "INSTALL_VIEW", link->links->events.report);
}

static void bound(void *context, const struct rpc_reply *reply)
{
	struct link *link = context;

	managed(link, reply, "BIND_MANAGER", link->links->events.bound);
}

void links_install(struct links *links, uint32_t id, const struct view *view)
{
	struct link *link = links->by_id[id];
	jh_install_args args;

	if (link == NULL)
		return;
	convert_install_to_wire(view, &links->peers, &args);
	install_view_1(&args, NULL, rpc_channel_call(link->channel, MANAGE_TIMEOUT_MS, installed, link));
	rpc_channel_flush(link->channel);
	xdr_free((xdrproc_t)xdr_jh_install_args, &args);
}

void links_bind(struct links *links, uint32_t id, struct uuid manager, bool take_over)
{
	struct link *link = links->by_id[id];
	jh_bind_args args = {.take_over = take_over};

	if (link == NULL)
		return;
	args.manager = convert_uuid_to_wire(manager);
	bind_manager_1(&args, NULL, rpc_channel_call(link->channel, MANAGE_TIMEOUT_MS, bound, link));
}

/* --- what the router sends ---------------------------------------------------------------------------------------- */

static void call_answered(void *context, const struct rpc_reply *reply)
{
	struct link_call *call = context;
	struct links *links = call->link->links;
	void *owner = call->slot != NULL ? call->owner : NULL;
	struct link_answer answer = {.kind = LINK_AGAIN};

	if (reply->status == RPC_LOST)
		return; /* it stays in link->calls, for links_disconnect */
	if (owner != NULL && reply->status == RPC_ANSWERED)
		answer = link_answer_of(reply);
	else if (rpc_status_not_executed(reply->status))
		answer.kind = LINK_NOT_EXECUTED;
	call_free(call);
	if (owner != NULL)
		links->events.answered(links->context, owner, &answer);
}

static struct link_call *call_new(struct link *link, void *owner, struct link_call **slot)
{
	struct links *links = link->links;
	struct link_call *call = TAILQ_FIRST(&links->spare);

	must(*slot == NULL);
	if (call != NULL) {
		TAILQ_REMOVE(&links->spare, call, entry);
		links->spare_count--;
	} else {
		call = malloc(sizeof *call);
		must_allocate(call);
	}
	*call = (struct link_call){.link = link, .slot = slot, .owner = owner};
	*slot = call;
	TAILQ_INSERT_TAIL(&link->calls, call, entry);
	return call;
}

void links_submit(struct links *links, uint32_t id, jh_submit_args *args, uint32_t timeout_ms, void *owner,
		  struct link_call **slot)
{
	struct link *link = links->by_id[id];

	if (link == NULL)
		return;

	struct link_call *call = call_new(link, owner, slot);

	submit_1(args, NULL, rpc_channel_call(link->channel, timeout_ms, call_answered, call));
}

void links_query(struct links *links, uint32_t id, jh_query_args *args, uint32_t timeout_ms, void *owner,
		 struct link_call **slot)
{
	struct link *link = links->by_id[id];

	if (link == NULL)
		return;

	struct link_call *call = call_new(link, owner, slot);

	query_1(args, NULL, rpc_channel_call(link->channel, timeout_ms, call_answered, call));
}

void link_call_forget(struct link_call **slot)
{
	if (*slot == NULL)
		return;
	(*slot)->slot = NULL;
	*slot = NULL;
}
