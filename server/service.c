/* The replica's program: hellos, and what the view manager and the primary call. Each handler translates and hands
 * on; the core decides. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/clock.h"
#include "rpc/cluster/convert.h"
#include "rpc/cluster/hello.h"
#include "server/node.h"
#include "server/peers/push_wire.h"

#define GREETED_MAX (4 * LIMIT_REPLICAS)

/* --- who speaks --------------------------------------------------------------------------------------------------- */

static struct greeted *greeted_of(struct svc_req *call)
{
	return rpc_connection_user(rpc_call_connection(call));
}

static struct node *node_of(struct svc_req *call)
{
	return rpc_call_context(call);
}

/* RULE 20: the manager we are bound to; any, as long as we are bound to none. Asked anew for every call: a view may
 * have bound us to another one since the hello. */
static bool manages(const struct node *node, const struct greeted *from)
{
	struct uuid bound = replica_bound(node->replica);

	return from->id == 0 && (uuid_is_nil(bound) || uuid_equal(bound, from->uuid));
}

static struct greeted *manager_of(struct svc_req *call)
{
	struct greeted *from = greeted_of(call);

	return from != NULL && manages(node_of(call), from) ? from : NULL;
}

static bool manager_is_connected(const struct node *node)
{
	for (const struct greeted *from = node->greeted; from != NULL; from = from->next) {
		if (manages(node, from))
			return true;
	}
	return false;
}

static void forget(struct node *node, struct greeted *from)
{
	struct greeted **slot = &node->greeted;

	while (*slot != from) {
		must(*slot != NULL);
		slot = &(*slot)->next;
	}
	*slot = from->next;
	if (from->watch != NULL)
		rpc_call_drop(from->watch);
	free(from);
}

void service_closed(struct node *node, struct rpc_connection *connection)
{
	struct greeted *from = rpc_connection_user(connection);

	if (from == NULL)
		return;

	bool manager = from->id == 0;

	rpc_connection_set_user(connection, NULL);
	forget(node, from);
	if (manager && !node->freeing)
		node_step(node,
			  &(struct replica_event){.kind = REPLICA_MANAGER, .connected = manager_is_connected(node)});
}

/* RULE 17: a hello on a new connection closes the same peer's older ones and discards what was unread there. */
static void close_older(struct node *node, const struct greeted *than, bool all_managers)
{
	struct greeted *from = node->greeted;

	while (from != NULL) {
		struct greeted *next = from->next;

		if (from != than && from->id == than->id && (uuid_equal(from->uuid, than->uuid) || all_managers)) {
			struct rpc_connection *connection = from->connection;

			rpc_connection_set_user(connection, NULL);
			forget(node, from);
			rpc_connection_close(connection);
		}
		from = next;
	}
}

/* Greeted connections are never closed for being idle, so there is a bound on them: RULE 19. */
static bool has_room(const struct node *node)
{
	uint32_t count = 0;

	for (const struct greeted *from = node->greeted; from != NULL; from = from->next)
		count++;
	return count < GREETED_MAX;
}

static void greet(struct node *node, struct rpc_connection *connection, const struct identity *who)
{
	struct greeted *from = rpc_connection_user(connection);
	bool manager = who->id == 0 || (from != NULL && from->id == 0);

	if (from != NULL)
		forget(node, from);
	from = calloc(1, sizeof *from);
	must_allocate(from);
	*from = (struct greeted){.next = node->greeted, .connection = connection, .id = who->id, .uuid = who->uuid,
				 .incarnation = who->incarnation};
	managed_greeted(from);
	node->greeted = from;
	rpc_connection_set_user(connection, from);
	rpc_connection_pin(connection);
	close_older(node, from, false); /* RULE 17 */
	if (manager)
		node_step(node,
			  &(struct replica_event){.kind = REPLICA_MANAGER, .connected = manager_is_connected(node)});
}

static bool names_other(struct uuid named, struct uuid ours)
{
	return !uuid_is_nil(named) && !uuid_equal(named, ours);
}

/* RULE 17: either end refuses a mismatch and says so. A view manager may meet an older generation of its own
 * cluster: it is the one that tells it to start again. */
static jh_hello_status judge_hello(const struct node *node, const struct identity *who, const struct identity *meant,
				   char *text, size_t size)
{
	struct identity me = node_identity(node);
	struct uuid bound = replica_bound(node->replica);

	*text = 0;
	if (who->format != JH_CLUSTER_FORMAT) {
		/* What it says of itself behind the format is not understood: not even who it is. */
		snprintf(text, size, "replica %u " OTHER_FORMAT_TEXT " %u, who calls it %u: upgrade %s", me.id,
			 JH_CLUSTER_FORMAT, who->format,
			 who->format > JH_CLUSTER_FORMAT ? "the replica" : "who calls");
		return JH_HELLO_FORMAT;
	}
	if (who->program_base != me.program_base) {
		snprintf(text, size, "program base %u here, %u there", me.program_base, who->program_base);
		return JH_HELLO_FORMAT;
	}
	if ((meant->id != 0 && meant->id != me.id) || names_other(meant->uuid, me.uuid) ||
	    names_other(meant->incarnation, me.incarnation)) {
		snprintf(text, size, "this is replica %u, another process than the one meant", me.id);
		return JH_HELLO_NOT_ME;
	}
	if (!uuid_is_nil(me.cluster) && names_other(who->cluster, me.cluster)) {
		snprintf(text, size, "replica %u belongs to another cluster", me.id);
		return JH_HELLO_CLUSTER;
	}
	if (who->id != 0 && !uuid_is_nil(me.cluster) && names_other(who->generation, me.generation)) {
		snprintf(text, size, "replica %u is of another generation of this cluster", me.id);
		return JH_HELLO_CLUSTER;
	}
	if (who->id == 0 && names_other(bound, who->uuid)) { /* RULE 20 */
		char name[UUID_TEXT_SIZE];

		snprintf(text, size, "replica %u is bound to view manager %s", me.id, uuid_format(bound, name));
		return JH_HELLO_BOUND;
	}
	return JH_HELLO_OK;
}

/* To a manager: whether another one than it is heard. */
static void fill_report(struct node *node, const struct greeted *asker, jh_report *wire)
{
	struct report report;

	node_report(node, &report);
	report.managed = managed_by_another(node, asker);
	convert_report_to_wire(&report, wire);
}

bool_t hello_1_svc(jh_hello_args *args, jh_hello_result *result, struct svc_req *call)
{
	struct node *node = node_of(call);
	struct identity who, meant, me = node_identity(node);
	char text[200];

	memset(result, 0, sizeof *result);
	if (!convert_identity_from_wire(&args->me, &who) || !convert_identity_from_wire(&args->you, &meant)) {
		result->status = JH_HELLO_FORMAT;
		snprintf(text, sizeof text, "the hello makes no sense");
	} else if (!has_room(node)) {
		result->status = JH_HELLO_NOT_ME;
		snprintf(text, sizeof text, "replica %u has %d cluster connections already", me.id, GREETED_MAX);
	} else {
		result->status = judge_hello(node, &who, &meant, text, sizeof text);
		if (result->status == JH_HELLO_OK || result->status == JH_HELLO_BOUND) /* RULE 17 */
			greet(node, rpc_call_connection(call), &who);
	}
	result->error = convert_text_dup(text);
	convert_identity_to_wire(&me, &result->me);
	fill_report(node, greeted_of(call), &result->report);
	return TRUE;
}

/* Said once for each format that is heard: who calls tries again and again. */
static void tell_of_format(struct node *node, uint32_t format, const char *peer, const jh_text *error)
{
	char text[200];

	if (node->other_format == format)
		return;
	node->other_format = format;
	log_warn("service", "refused a hello from %s: %s", peer,
		 convert_text(text, sizeof text, error->jh_text_val, error->jh_text_len));
}

/* A hello of another format is answered without a look at the rest of it, which may have moved; everything else goes to what
 * rpcgen made. */
void service_dispatch(struct svc_req *call, SVCXPRT *transport)
{
	jh_hello_args args = {.me = {.format = JH_CLUSTER_FORMAT}};
	jh_hello_result result;

	if (call->rq_proc != HELLO ||
	    !svc_getargs(transport, (xdrproc_t)hello_format, (caddr_t)&args.me.format) ||
	    args.me.format == JH_CLUSTER_FORMAT) {
		jh_replica_1(call, transport);
		return;
	}
	args.you.format = args.me.format;
	hello_1_svc(&args, &result, call);
	tell_of_format(node_of(call), args.me.format, rpc_connection_peer_text(rpc_call_connection(call)),
		       &result.error);
	if (!svc_sendreply(transport, (xdrproc_t)xdr_jh_hello_result, (caddr_t)&result))
		svcerr_systemerr(transport);
	xdr_free((xdrproc_t)xdr_jh_hello_result, (char *)&result);
}

/* --- from the view manager ---------------------------------------------------------------------------------------- */

bool_t heartbeat_1_svc(jh_heartbeat_args *args, jh_report *result, struct svc_req *call)
{
	struct node *node = node_of(call);
	static struct peers peers;
	struct greeted *from = manager_of(call);
	char address[LIMIT_ADDRESS_BYTES];

	if (from != NULL) {
		if (convert_address_from_wire(&args->frontend, address))
			managed_heartbeat(node, from, address, args->suspect_ms);
		bool has_peers = args->has_peers &&
				 convert_peers_from_wire(args->peers.peers_val, args->peers.peers_len, &peers);

		node_step(node, &(struct replica_event){.kind = REPLICA_HEARTBEAT,
							.view = args->view,
							.peers = has_peers ? &peers : NULL,
							.retire = args->retire,
							.min_members = args->min_members, /* RULE 10 */
							.full_wait_ms = args->full_wait_ms});
	}
	fill_report(node, greeted_of(call), result);
	return TRUE;
}

bool_t watch_1_svc(jh_watch_args *args, jh_report *result, struct svc_req *call)
{
	struct node *node = node_of(call);
	struct greeted *from = greeted_of(call);
	struct report report;

	memset(result, 0, sizeof *result);
	node_report(node, &report);
	if (from == NULL || from->id != 0 || report.news != args->seen) {
		fill_report(node, from, result);
		return TRUE;
	}
	if (from->watch != NULL)
		rpc_call_drop(from->watch);
	from->watch = rpc_call_take(call);
	return FALSE;
}

void service_news(struct node *node)
{
	jh_report wire;

	for (struct greeted *from = node->greeted; from != NULL; from = from->next) {
		if (from->watch == NULL)
			continue;
		fill_report(node, from, &wire);
		rpc_call_reply(from->watch, (xdrproc_t)xdr_jh_report, &wire);
		xdr_free((xdrproc_t)xdr_jh_report, &wire);
		from->watch = NULL;
	}
}

/* --- calls that are answered later -------------------------------------------------------------------------------- */

static struct taken *take(struct node *node, struct svc_req *call)
{
	struct taken *taken = malloc(sizeof *taken);

	must_allocate(taken);
	taken->call = rpc_call_take(call);
	LIST_INSERT_HEAD(&node->taken, taken, link);
	return taken;
}

static uint64_t token_of(const struct taken *taken)
{
	return (uint64_t)(uintptr_t)taken;
}

static struct taken *taken_of(const struct replica_action *action)
{
	return (struct taken *)(uintptr_t)action->token;
}

static struct rpc_call *release(struct taken *taken)
{
	struct rpc_call *call = taken->call;

	LIST_REMOVE(taken, link);
	free(taken);
	return call;
}

void service_drop(struct node *node)
{
	for (struct taken *taken = LIST_FIRST(&node->taken), *next; taken != NULL; taken = next) {
		next = LIST_NEXT(taken, link);
		rpc_call_drop(release(taken));
	}
}

static void reply_manage(struct node *node, struct taken *taken, jh_manage_status status, const char *text)
{
	jh_manage_result result = {.status = status, .error = convert_text_dup(text)};

	const struct rpc_connection *peer = rpc_call_peer(taken->call);

	fill_report(node, peer == NULL ? NULL : rpc_connection_user(peer), &result.report);
	rpc_call_reply(release(taken), (xdrproc_t)xdr_jh_manage_result, &result);
	xdr_free((xdrproc_t)xdr_jh_manage_result, &result);
}

bool_t install_view_1_svc(jh_install_args *args, jh_manage_result *result, struct svc_req *call)
{
	static struct view view;
	static struct peers peers;
	struct node *node = node_of(call);
	struct greeted *from = manager_of(call);
	struct taken *taken = take(node, call);

	memset(result, 0, sizeof *result);
	if (from == NULL || !convert_install_from_wire(args, &view, &peers)) {
		reply_manage(node, taken, JH_MANAGE_REFUSED,
			     from == NULL ? "say hello first" : "that view makes no sense");
		return FALSE;
	}
	if (!uuid_equal(view.manager, from->uuid)) { /* RULE 20 */
		reply_manage(node, taken, JH_MANAGE_REFUSED, "that view is another manager's");
		return FALSE;
	}
	node_step(node, &(struct replica_event){.kind = REPLICA_INSTALL, .token = token_of(taken), .install = &view,
						 .peers = &peers});
	return FALSE;
}

void service_installed(struct node *node, const struct replica_action *action)
{
	reply_manage(node, taken_of(action), action->ok ? JH_MANAGE_OK : JH_MANAGE_REFUSED,
		     action->text != NULL ? action->text : "");
}

/* RULE 20: the successor's binding closes the old manager's connections and discards what was unread there, at once. */
bool_t bind_manager_1_svc(jh_bind_args *args, jh_manage_result *result, struct svc_req *call)
{
	struct node *node = node_of(call);
	struct greeted *from = greeted_of(call);
	struct uuid manager = convert_uuid_from_wire(args->manager);
	struct taken *taken = take(node, call);

	memset(result, 0, sizeof *result);
	if (from == NULL || from->id != 0 || !uuid_equal(from->uuid, manager)) {
		reply_manage(node, taken, JH_MANAGE_REFUSED, "say hello as that manager first");
		return FALSE;
	}
	if (!args->take_over && managed_by_another(node, from)) { /* RULE 20 */
		reply_manage(node, taken, JH_MANAGE_REFUSED, "managed by a front-end that is heard");
		return FALSE;
	}
	close_older(node, from, true);
	node_step(node, &(struct replica_event){.kind = REPLICA_BIND, .token = token_of(taken), .manager = manager});
	node_step(node, &(struct replica_event){.kind = REPLICA_MANAGER, .connected = true});
	return FALSE;
}

void service_bound(struct node *node, const struct replica_action *action)
{
	reply_manage(node, taken_of(action), action->ok ? JH_MANAGE_OK : JH_MANAGE_REFUSED,
		     action->ok ? "" : "overtaken by another binding");
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

bool_t submit_1_svc(jh_submit_args *args, jh_write_result *result, struct svc_req *call)
{
	memset(result, 0, sizeof *result);
	if (manager_of(call) != NULL)
		return request_submit(node_of(call), args, call);
	result->outcome = JH_MOVED; /* RULE 12, 17: nobody else's word counts, and nothing happened here */
	return TRUE;
}

bool_t query_1_svc(jh_query_args *args, jh_read_result *result, struct svc_req *call)
{
	memset(result, 0, sizeof *result);
	if (manager_of(call) != NULL && args->query.kind == JH_QUERY_HISTORY)
		return request_query(node_of(call), args, call);
	result->outcome = JH_MOVED;
	return TRUE;
}

/* --- pushes ------------------------------------------------------------------------------------------------------- */

static void reply_push(struct rpc_call *call, const struct replica_ack *ack)
{
	jh_push_result result = {.status = (jh_push_status)ack->status, .view = ack->view, .op = ack->op,
				 .commit = ack->commit, .state_next = ack->state_next, .disk_full = ack->disk_full,
				 .clock_us = rpc_wall_us()};

	result.uuid = convert_uuid_to_wire(ack->uuid);
	result.commit_digest = convert_digest_to_wire(ack->commit_digest);
	rpc_call_reply(call, (xdrproc_t)xdr_jh_push_result, &result);
}

void service_ack(struct node *node, const struct replica_action *action)
{
	(void)node;
	reply_push(release(taken_of(action)), &action->ack);
}

bool_t push_1_svc(jh_push_args *args, jh_push_result *result, struct svc_req *call)
{
	static struct view record;
	static struct replica_entry entries[LIMIT_PUSH_ENTRIES];
	struct node *node = node_of(call);
	struct greeted *from = greeted_of(call);
	struct replica_push push;

	memset(result, 0, sizeof *result);
	if (from == NULL || from->id == 0 || !push_from_wire(args, &record, entries, &push)) {
		result->status = JH_PUSH_REFUSED;
		return TRUE;
	}
	node->piece = args->state;
	node_step(node, &(struct replica_event){.kind = REPLICA_PUSH, .token = token_of(take(node, call)), .id = from->id,
						 .uuid = from->uuid, .push = &push});
	node->piece = NULL;
	return FALSE;
}

/* --- for anybody -------------------------------------------------------------------------------------------------- */

bool_t replica_status_1_svc(void *nothing, jh_replica_row *result, struct svc_req *call)
{
	struct node *node = node_of(call);
	struct report report;

	(void)nothing;
	node_report(node, &report);
	convert_row(node->options.id, &report, report.role,
		    view_member_exact(&report.view, report.id, report.uuid) != NULL, node->address, 0, "", result);
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
