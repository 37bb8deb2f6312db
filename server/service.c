/* The procedures of a replica's program: each handler converts its arguments into an event, and the core decides. */
#include "server/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/cluster/hello.h"
#include "rpc/net/server.h"
#include "server/disk/staging.h"
#include "server/peers/peer_sessions.h"
#include "server/peers/push_wire.h"
#include "server/peers/speaker.h"
#include "server/requests.h"

struct service {
	struct service_options options;
	LIST_HEAD(, deferred) deferred;
	struct format_range other_formats; /* of the last refused hello that was logged; 0: none */
};

/* A cluster call that the core answers later: what its token stands for. */
struct deferred {
	LIST_ENTRY(deferred) link;
	struct service *service;
	struct rpc_call *call;
	uint64_t probe; /* of a push */
};

struct service *service_new(const struct service_options *options)
{
	struct service *service = calloc(1, sizeof *service);

	must_allocate(service);
	service->options = *options;
	return service;
}

/* --- sessions and hellos ------------------------------------------------------------------------------------------ */

static struct service *service_of(struct svc_req *call)
{
	return rpc_call_context(call);
}

static struct peer_session *session_of_call(struct svc_req *call)
{
	return peer_session_of(rpc_call_connection(call));
}

static void step(const struct service *service, struct replica_event *event)
{
	service->options.event(service->options.context, event);
}

static struct identity identity(const struct service *service)
{
	return service->options.identity(service->options.context);
}

/* RULE 20: the session of the manager that we are bound to; else NULL. */
static struct peer_session *manager_of(struct svc_req *call)
{
	struct peer_session *from = session_of_call(call);

	return from != NULL && peer_sessions_manages(service_of(call)->options.sessions, from) ? from : NULL;
}

/* What a refused caller is told. */
static void say_refusal(const struct service *service, enum hello_status status, const struct identity *who, char *text,
			size_t size)
{
	struct identity me = identity(service);
	char name[UUID_TEXT_SIZE];
	int used;

	switch (status) {
	case HELLO_OK:
		*text = 0;
		break;
	case HELLO_OTHER_FORMAT:
		used = snprintf(text, size, "replica %u ", me.id);
		/* What it says of itself may not be understood: not even who it is. */
		format_range_explain(me.formats, who->formats, identity_format_in_use(who, &me), "the replica",
				     "who calls it", text + used, size - (size_t)used);
		break;
	case HELLO_FORMAT:
		if (who->program_base != me.program_base)
			snprintf(text, size, "program base %u here, %u there", me.program_base, who->program_base);
		else
			snprintf(text, size, "the hello makes no sense: its purpose is not one of such a process");
		break;
	case HELLO_NOT_ME:
		snprintf(text, size, "this is replica %u, another process than the one meant", me.id);
		break;
	case HELLO_CLUSTER:
		if (uuid_is_nil(who->cluster) || uuid_equal(who->cluster, me.cluster))
			snprintf(text, size, "replica %u is of another generation of this cluster", me.id);
		else
			snprintf(text, size, "replica %u belongs to another cluster", me.id);
		break;
	case HELLO_BOUND:
		snprintf(text, size, "replica %u is bound to view manager %s", me.id,
			 uuid_format(replica_bound(service->options.replica), name));
		break;
	}
}

static jh_hello_status status_to_wire(enum hello_status status)
{
	return status == HELLO_OTHER_FORMAT ? JH_HELLO_FORMAT : (jh_hello_status)status;
}

/* To a manager: whether another one than it is heard. */
static void fill_report(const struct service *service, const struct peer_session *asker, jh_report *wire)
{
	struct report report;

	service->options.report(service->options.context, &report);
	report.managed = peer_sessions_managed_by_another(service->options.sessions, asker);
	convert_report_to_wire(&report, wire);
}

/* Logged once for each range: the caller tries again and again. */
static void tell_of_formats(struct service *service, struct format_range formats, const char *peer, const char *text)
{
	if (service->other_formats.low == formats.low && service->other_formats.high == formats.high)
		return;
	service->other_formats = formats;
	log_warn("service", "refused a hello from %s: %s", peer, text);
}

bool_t hello_1_svc(jh_hello_args *args, jh_hello_result *result, struct svc_req *call)
{
	struct service *service = service_of(call);
	struct peer_sessions *sessions = service->options.sessions;
	struct identity who, meant, me = identity(service);
	char text[200];

	memset(result, 0, sizeof *result);
	if (!convert_identity_from_wire(&args->me, &who) || !format_range_valid(who.formats) ||
	    !convert_identity_from_wire(&args->you, &meant)) {
		result->status = JH_HELLO_FORMAT;
		snprintf(text, sizeof text, "the hello makes no sense");
	} else if (!peer_sessions_have_room(sessions)) {
		result->status = JH_HELLO_NOT_ME;
		snprintf(text, sizeof text, "replica %u has %u cluster connections already", me.id, peer_sessions_max());
	} else {
		enum hello_status status = speaker_hello(&me, replica_bound(service->options.replica), &who, &meant);

		say_refusal(service, status, &who, text, sizeof text);
		if (speaker_is_admitted(status))
			peer_sessions_begin(sessions, rpc_call_connection(call), &who);
		if (status == HELLO_OTHER_FORMAT)
			tell_of_formats(service, who.formats, rpc_connection_peer_text(rpc_call_connection(call)), text);
		result->status = status_to_wire(status);
	}
	result->error = convert_text_dup(text);
	convert_identity_to_wire(&me, &result->me);
	fill_report(service, session_of_call(call), &result->report);
	return TRUE;
}

/* A hello without a format in common is answered without a look at the rest of it, which may have moved; everything else
 * goes to what rpcgen made. A client that takes our number for its front-end's calls the same procedure with other
 * arguments, which begin with a random number: it must hear that they make no sense, which proves to it that nothing was
 * executed. */
void service_dispatch(struct svc_req *call, SVCXPRT *transport)
{
	struct format_range formats = {0};
	jh_hello_args args = {.me = {.format_low = 0}};
	jh_hello_result result;

	if (call->rq_proc != HELLO || !svc_getargs(transport, (xdrproc_t)hello_formats, (caddr_t)&formats) ||
	    format_range_overlaps(formats, FORMAT_RANGE_OWN)) {
		jh_replica_1(call, transport);
		return;
	}
	args.me.format_low = formats.low;
	args.me.format_high = formats.high;
	hello_1_svc(&args, &result, call);
	if (!svc_sendreply(transport, (xdrproc_t)xdr_jh_hello_result, (caddr_t)&result))
		svcerr_systemerr(transport);
	xdr_free((xdrproc_t)xdr_jh_hello_result, (char *)&result);
}

/* --- from the view manager ---------------------------------------------------------------------------------------- */

bool_t heartbeat_1_svc(jh_heartbeat_args *args, jh_report *result, struct svc_req *call)
{
	const struct service *service = service_of(call);
	static struct peers peers;
	struct peer_session *from = manager_of(call);
	char address[LIMIT_ADDRESS_BYTES];

	if (from != NULL) {
		if (convert_address_from_wire(&args->frontend, address))
			peer_sessions_heartbeat(service->options.sessions, from, address, args->suspect_ms);
		bool has_peers = args->has_peers &&
				 convert_peers_from_wire(args->peers.peers_val, args->peers.peers_len, &peers);

		step(service, &(struct replica_event){.kind = REPLICA_HEARTBEAT,
						      .heartbeat = {.view = args->view,
								    .peers = has_peers ? &peers : NULL,
								    .retire = args->retire,
								    .min_members = args->min_members, /* RULE 10 */
								    .full_wait_ms = args->full_wait_ms}});
	}
	fill_report(service, session_of_call(call), result);
	return TRUE;
}

bool_t watch_1_svc(jh_watch_args *args, jh_report *result, struct svc_req *call)
{
	const struct service *service = service_of(call);
	struct peer_session *from = session_of_call(call);
	struct report report;

	memset(result, 0, sizeof *result);
	service->options.report(service->options.context, &report);
	if (from == NULL || !speaker_is_manager(peer_session_speaker(from)) || report.news != args->seen) {
		fill_report(service, from, result);
		return TRUE;
	}
	peer_session_watch(from, rpc_call_take(call));
	return FALSE;
}

static void answer_watch(void *context, struct peer_session *session, struct rpc_call *call)
{
	jh_report wire;

	fill_report(context, session, &wire);
	rpc_call_reply(call, (xdrproc_t)xdr_jh_report, &wire);
	xdr_free((xdrproc_t)xdr_jh_report, &wire);
}

void service_news(struct service *service)
{
	peer_sessions_news(service->options.sessions, answer_watch, service);
}

/* --- calls that are answered later -------------------------------------------------------------------------------- */

static struct deferred *defer(struct service *service, struct svc_req *call)
{
	struct deferred *deferred = malloc(sizeof *deferred);

	must_allocate(deferred);
	deferred->service = service;
	deferred->call = rpc_call_take(call);
	deferred->probe = 0;
	LIST_INSERT_HEAD(&service->deferred, deferred, link);
	return deferred;
}

static uint64_t token_of(const struct deferred *deferred)
{
	return (uint64_t)(uintptr_t)deferred;
}

static struct deferred *deferred_of(uint64_t token)
{
	return (struct deferred *)(uintptr_t)token;
}

static struct rpc_call *release(struct deferred *deferred)
{
	struct rpc_call *call = deferred->call;

	LIST_REMOVE(deferred, link);
	free(deferred);
	return call;
}

void service_free(struct service *service)
{
	for (struct deferred *deferred = LIST_FIRST(&service->deferred), *next; deferred != NULL; deferred = next) {
		next = LIST_NEXT(deferred, link);
		rpc_call_drop(release(deferred));
	}
	free(service);
}

static void reply_manage(struct deferred *deferred, jh_manage_status status, const char *text)
{
	jh_manage_result result = {.status = status, .error = convert_text_dup(text)};
	const struct rpc_connection *peer = rpc_call_peer(deferred->call);

	fill_report(deferred->service, peer == NULL ? NULL : peer_session_of(peer), &result.report);
	rpc_call_reply(release(deferred), (xdrproc_t)xdr_jh_manage_result, &result);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &result);
}

bool_t install_view_1_svc(jh_install_args *args, jh_manage_result *result, struct svc_req *call)
{
	static struct view view;
	static struct peers peers;
	struct service *service = service_of(call);
	struct peer_session *from = manager_of(call);
	struct deferred *deferred = defer(service, call);

	memset(result, 0, sizeof *result);
	if (from == NULL || !convert_install_from_wire(args, &view, &peers)) {
		reply_manage(deferred, JH_MANAGE_REFUSED, from == NULL ? "say hello first" : "that view makes no sense");
		return FALSE;
	}
	if (!format_range_includes(FORMAT_RANGE_OWN, view.format)) {
		reply_manage(deferred, JH_MANAGE_REFUSED, "that view uses a format that this program does not speak");
		return FALSE;
	}
	if (!speaker_is_manager_named(peer_session_speaker(from), view.manager)) { /* RULE 20 */
		reply_manage(deferred, JH_MANAGE_REFUSED, "that view is another manager's");
		return FALSE;
	}
	step(service, &(struct replica_event){.kind = REPLICA_INSTALL,
					      .install = {.token = token_of(deferred), .view = &view,
							  .peers = &peers}});
	return FALSE;
}

void service_installed(const struct replica_installed *installed)
{
	reply_manage(deferred_of(installed->token), installed->ok ? JH_MANAGE_OK : JH_MANAGE_REFUSED,
		     installed->ok ? "" : installed->text);
}

/* RULE 20: the successor's binding closes the old manager's connections and discards what was unread there, at once. */
bool_t bind_manager_1_svc(jh_bind_args *args, jh_manage_result *result, struct svc_req *call)
{
	struct service *service = service_of(call);
	struct peer_sessions *sessions = service->options.sessions;
	struct peer_session *from = session_of_call(call);
	struct uuid manager = convert_uuid_from_wire(args->manager);
	struct deferred *deferred = defer(service, call);

	memset(result, 0, sizeof *result);
	if (from == NULL || !speaker_is_manager_named(peer_session_speaker(from), manager)) { /* RULE 20 */
		reply_manage(deferred, JH_MANAGE_REFUSED, "say hello as that manager first");
		return FALSE;
	}
	if (!args->take_over && peer_sessions_managed_by_another(sessions, from)) { /* RULE 20 */
		reply_manage(deferred, JH_MANAGE_REFUSED, "managed by a front-end that is heard");
		return FALSE;
	}
	peer_sessions_close_managers(sessions, from); /* RULE 20 */
	peer_sessions_bound(sessions, from);
	step(service, &(struct replica_event){.kind = REPLICA_BIND,
					      .bind = {.token = token_of(deferred), .manager = manager}});
	step(service, &(struct replica_event){.kind = REPLICA_MANAGER, .manager = {.connected = true}});
	return FALSE;
}

void service_bound(uint64_t token, bool ok)
{
	reply_manage(deferred_of(token), ok ? JH_MANAGE_OK : JH_MANAGE_REFUSED,
		     ok ? "" : "overtaken by another binding");
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

bool_t submit_1_svc(jh_submit_args *args, jh_submit_result *result, struct svc_req *call)
{
	memset(result, 0, sizeof *result);
	if (manager_of(call) != NULL)
		return requests_submit(service_of(call)->options.requests, args, call);
	result->result.outcome = JH_MOVED; /* RULE 12, 17: only our manager may submit, and nothing happened here */
	return TRUE;
}

bool_t query_1_svc(jh_query_args *args, jh_query_result *result, struct svc_req *call)
{
	memset(result, 0, sizeof *result);
	if (manager_of(call) != NULL && args->query.kind == JH_QUERY_HISTORY)
		return requests_query(service_of(call)->options.requests, args, call);
	result->result.outcome = JH_MOVED;
	return TRUE;
}

/* --- pushes ------------------------------------------------------------------------------------------------------- */

static void reply_push(struct deferred *deferred, const struct replica_ack *ack)
{
	jh_push_result result = {.status = (jh_push_status)ack->status, .view = ack->view, .op = ack->op,
				 .commit = ack->commit, .state_next = ack->state_next, .probe = deferred->probe,
				 .disk_full = ack->disk_full, .clock_us = rpc_wall_us()};

	result.uuid = convert_uuid_to_wire(ack->uuid);
	result.commit_digest = convert_digest_to_wire(ack->commit_digest);
	result.fold_op = ack->fold_op;
	result.fold = convert_digest_to_wire(ack->fold);
	rpc_call_reply(release(deferred), (xdrproc_t)xdr_jh_push_result, &result);
}

void service_ack(const struct replica_acknowledge *acknowledge)
{
	reply_push(deferred_of(acknowledge->token), &acknowledge->ack);
}

static struct staging_piece piece_of(const jh_state_chunk *wire, const struct replica_push *push)
{
	return (struct staging_piece){.op = push->base_op, .digest = push->base_digest,
				      .initial_count = wire->initial_count, .total = wire->total, .first = wire->first,
				      .records = wire->records.records_val, .size = wire->records.records_len};
}

bool_t push_1_svc(jh_push_args *args, jh_push_result *result, struct svc_req *call)
{
	static struct view record;
	static struct replica_entry entries[LIMIT_PUSH_ENTRIES];
	struct service *service = service_of(call);
	const struct peer_session *from = session_of_call(call);
	const struct speaker *speaker = from == NULL ? NULL : peer_session_speaker(from);
	struct staging_piece piece;
	struct replica_push push;

	memset(result, 0, sizeof *result);
	if (speaker == NULL || !speaker_pushes(speaker) || !push_from_wire(args, &record, entries, &push)) {
		result->status = JH_PUSH_REFUSED;
		result->probe = args->probe;
		return TRUE;
	}
	if (args->state != NULL) {
		piece = piece_of(args->state, &push);
		push.piece = &piece;
	}

	struct deferred *deferred = defer(service, call);

	deferred->probe = args->probe;
	step(service, &(struct replica_event){.kind = REPLICA_PUSH,
					      .push = {.token = token_of(deferred),
						       .from = {.id = speaker->identity.id,
								.uuid = speaker->identity.uuid},
						       .push = &push}});
	return FALSE;
}

/* --- for anybody -------------------------------------------------------------------------------------------------- */

bool_t replica_status_1_svc(void *nothing, jh_replica_row *result, struct svc_req *call)
{
	const struct service *service = service_of(call);
	struct report report;

	(void)nothing;
	service->options.report(service->options.context, &report);
	convert_row(identity(service).id, &report, report.role,
		    view_member_exact(&report.view, report.id, report.uuid) != NULL, service->options.address, 0, "",
		    result);
	result->expected = view_expects(&report.view, report.id) != NULL;
	convert_expected_to_wire(&report.view, &result->expects.expects_len, &result->expects.expects_val);
	return TRUE;
}

/* rpcgen calls this after every handler, also those that answer later: they leave an all-zero result behind. */
int jh_replica_1_freeresult(SVCXPRT *transport, xdrproc_t encode, caddr_t result)
{
	(void)transport;
	xdr_free(encode, result);
	return TRUE;
}
