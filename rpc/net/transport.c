/* One call: the SVCXPRT that rpcgen's unmodified dispatch function works on, and its answer, under its own xid. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/server_internal.h"

#define CALL_WORDS 6         /* xid, CALL, RPC version, program, version, procedure */
#define REPLY_BYTES 24u      /* xid, REPLY, MSG_ACCEPTED, AUTH_NONE, 0, SUCCESS */
#define SPARE_CALLS 8192u

static struct rpc_call *call_of(SVCXPRT *xprt)
{
	return (struct rpc_call *)((char *)xprt - offsetof(struct rpc_call, xprt));
}

/* --- xp_ops ------------------------------------------------------------------------------------------------------- */

/* The record has been received before the transport exists, so these are never called. */
static bool_t transport_recv(SVCXPRT *xprt, struct rpc_msg *message)
{
	(void)xprt;
	(void)message;
	return FALSE;
}

static enum xprt_stat transport_stat(SVCXPRT *xprt)
{
	return call_of(xprt)->connection == NULL ? XPRT_DIED : XPRT_IDLE;
}

/* The dispatch function does not free what a failed decoding has allocated, so it is freed here. */
static bool_t transport_getargs(SVCXPRT *xprt, xdrproc_t decode, void *arguments)
{
	if (decode(&call_of(xprt)->arguments, arguments, 0))
		return TRUE;
	xdr_free(decode, arguments);
	return FALSE;
}

/* Never FALSE, because the dispatch function then ends the process. */
static bool_t transport_freeargs(SVCXPRT *xprt, xdrproc_t decode, void *arguments)
{
	(void)xprt;
	xdr_free(decode, arguments);
	return TRUE;
}

static bool encode_success(XDR *xdr, uint32_t xid, xdrproc_t encode, void *result)
{
	int32_t *word = XDR_INLINE(xdr, REPLY_BYTES);

	if (word == NULL)
		return false;
	IXDR_PUT_U_INT32(word, xid);
	IXDR_PUT_U_INT32(word, REPLY);
	IXDR_PUT_U_INT32(word, MSG_ACCEPTED);
	IXDR_PUT_U_INT32(word, AUTH_NONE);
	IXDR_PUT_U_INT32(word, 0);
	IXDR_PUT_U_INT32(word, SUCCESS);
	return encode(xdr, result, 0);
}

/* Queues an answer; FALSE when it does not encode or is longer than a record, so that the caller can answer
 * SYSTEM_ERR. */
static bool_t transport_reply(SVCXPRT *xprt, struct rpc_msg *message)
{
	struct rpc_call *call = call_of(xprt);
	struct rpc_connection *connection = call->connection;
	bool encoded;

	must(!call->answered);
	if (connection == NULL || connection->broken) {
		call->answered = true;
		return TRUE;
	}

	XDR *xdr = record_writer_begin(&connection->output);

	if (message->rm_reply.rp_stat == MSG_ACCEPTED && message->acpted_rply.ar_stat == SUCCESS) {
		encoded = encode_success(xdr, call->xid, message->acpted_rply.ar_results.proc,
					 message->acpted_rply.ar_results.where);
	} else {
		message->rm_xid = call->xid;
		encoded = xdr_replymsg(xdr, message);
	}
	if (!encoded) {
		record_writer_abort(&connection->output);
		return FALSE;
	}
	record_writer_end(&connection->output);
	call->answered = true;
	connection_answered(connection);
	return TRUE;
}

static void transport_destroy(SVCXPRT *xprt)
{
	(void)xprt;
}

static bool_t transport_control(SVCXPRT *xprt, const u_int request, void *info)
{
	(void)xprt;
	(void)request;
	(void)info;
	return FALSE;
}

static const struct xp_ops transport_ops = {
	.xp_recv = transport_recv,
	.xp_stat = transport_stat,
	.xp_getargs = transport_getargs,
	.xp_reply = transport_reply,
	.xp_freeargs = transport_freeargs,
	.xp_destroy = transport_destroy,
};

static const struct xp_ops2 transport_ops2 = {.xp_control = transport_control};

/* --- life cycle of a call ----------------------------------------------------------------------------------------- */

static struct rpc_call *call_new(struct rpc_connection *connection)
{
	struct rpc_server *server = connection->server;
	struct rpc_call *call = LIST_FIRST(&server->spare_calls);

	if (call != NULL) {
		LIST_REMOVE(call, link);
		server->spare_calls_count--;
	} else {
		call = calloc(1, sizeof *call);
		must_allocate(call);
		call->xprt.xp_ops = &transport_ops;
		call->xprt.xp_ops2 = &transport_ops2;
		call->xprt.xp_p3 = &call->extension;
		call->xprt.xp_fd = -1;
		call->request.rq_xprt = &call->xprt;
	}
	call->connection = connection;
	call->taken = false;
	call->answered = false;
	call->ended = false;
	call->dispatching = false;
	LIST_INSERT_HEAD(&connection->calls, call, link);
	connection->calls_count++;
	return call;
}

static void call_free(struct rpc_call *call)
{
	struct rpc_connection *connection = call->connection;

	if (connection == NULL) {
		free(call);
		return;
	}
	must(connection->calls_count > 0);
	LIST_REMOVE(call, link);
	connection->calls_count--;
	connection_check_resume(connection);

	struct rpc_server *server = connection->server;

	if (server->spare_calls_count >= SPARE_CALLS) {
		free(call);
		return;
	}
	LIST_INSERT_HEAD(&server->spare_calls, call, link);
	server->spare_calls_count++;
}

/* A taken call is over. If its handler has not returned yet, transport_dispatch frees it. */
static void call_end(struct rpc_call *call)
{
	must(call->taken);
	must(!call->ended);
	call->ended = true;
	if (!call->dispatching)
		call_free(call);
}

void transport_detach(struct rpc_connection *connection)
{
	struct rpc_call *call;

	while ((call = LIST_FIRST(&connection->calls)) != NULL) {
		LIST_REMOVE(call, link);
		call->connection = NULL;
		call->service = NULL;
	}
	connection->calls_count = 0;
}

void transport_free_spare(struct rpc_server *server)
{
	struct rpc_call *call;

	while ((call = LIST_FIRST(&server->spare_calls)) != NULL) {
		LIST_REMOVE(call, link);
		free(call);
	}
}

/* --- from record to handler --------------------------------------------------------------------------------------- */

struct words {
	const uint8_t *at;
	size_t left;
};

static bool take_word(struct words *words, uint32_t *word)
{
	if (words->left < sizeof *word)
		return false;
	memcpy(word, words->at, sizeof *word);
	*word = ntohl(*word);
	words->at += sizeof *word;
	words->left -= sizeof *word;
	return true;
}

/* A credential or verifier, left in place. RFC 5531 section 8.2: at most 400 bytes. */
static bool take_auth(struct words *words, struct opaque_auth *auth)
{
	uint32_t flavor;
	uint32_t length;

	if (!take_word(words, &flavor) || !take_word(words, &length) || length > MAX_AUTH_BYTES)
		return false;

	size_t padded = RNDUP((size_t)length);

	if (padded > words->left)
		return false;
	auth->oa_flavor = (enum_t)flavor;
	auth->oa_length = length;
	auth->oa_base = (caddr_t)(uintptr_t)words->at;
	words->at += padded;
	words->left -= padded;
	return true;
}

/* RFC 5531 section 9: a call of another RPC version is denied with the supported versions. */
static void deny_version(struct rpc_call *call)
{
	struct rpc_msg message = {.rm_direction = REPLY};

	message.rm_reply.rp_stat = MSG_DENIED;
	message.rjcted_rply.rj_stat = RPC_MISMATCH;
	message.rjcted_rply.rj_vers.low = RPC_MSG_VERSION;
	message.rjcted_rply.rj_vers.high = RPC_MSG_VERSION;
	transport_reply(&call->xprt, &message);
}

static void run(struct rpc_call *call)
{
	struct rpc_server *server = call->connection->server;
	struct svc_req *request = &call->request;
	rpcvers_t low;
	rpcvers_t high;

	/* Credentials are not trusted; those of AUTH_SYS are what a stock client may send, and are ignored. */
	if (request->rq_cred.oa_flavor != AUTH_NONE && request->rq_cred.oa_flavor != AUTH_SYS) {
		svcerr_auth(&call->xprt, AUTH_REJECTEDCRED);
		return;
	}
	call->service = server_find(server, request->rq_prog, request->rq_vers);
	if (call->service != NULL)
		call->service->dispatch(request, &call->xprt);
	else if (server_versions(server, request->rq_prog, &low, &high))
		svcerr_progvers(&call->xprt, low, high);
	else
		svcerr_noprog(&call->xprt);
}

bool transport_dispatch(struct rpc_connection *connection, const uint8_t *record, size_t size)
{
	struct words words = {record, size};
	uint32_t head[CALL_WORDS];
	struct opaque_auth credential = {0};
	struct opaque_auth verifier;

	for (int i = 0; i < CALL_WORDS; i++)
		if (!take_word(&words, &head[i]))
			return false;
	if (head[1] != CALL)
		return false;
	if (head[2] == RPC_MSG_VERSION && (!take_auth(&words, &credential) || !take_auth(&words, &verifier)))
		return false;

	struct rpc_call *call = call_new(connection);

	call->xid = head[0];
	call->request.rq_prog = head[3];
	call->request.rq_vers = head[4];
	call->request.rq_proc = head[5];
	call->request.rq_cred = credential;
	xdrmem_create(&call->arguments, (char *)(uintptr_t)words.at, (u_int)words.left, XDR_DECODE);
	connection->server->counts.calls++;
	connection->server->dispatched = true;
	call->dispatching = true;
	if (head[2] == RPC_MSG_VERSION)
		run(call);
	else
		deny_version(call);
	call->dispatching = false;
	if (!call->taken || call->ended)
		call_free(call);
	return true;
}

/* --- for handlers ------------------------------------------------------------------------------------------------- */

void *rpc_call_context(const struct svc_req *request)
{
	return call_of(request->rq_xprt)->service->context;
}

struct rpc_connection *rpc_call_connection(const struct svc_req *request)
{
	return call_of(request->rq_xprt)->connection;
}

struct rpc_call *rpc_call_take(struct svc_req *request)
{
	struct rpc_call *call = call_of(request->rq_xprt);

	must(call->dispatching);
	must(!call->taken);
	must(!call->answered);
	call->taken = true;
	return call;
}

void rpc_call_reply(struct rpc_call *call, xdrproc_t encode, const void *result)
{
	if (!svc_sendreply(&call->xprt, encode, (void *)(uintptr_t)result))
		svcerr_systemerr(&call->xprt);
	call_end(call);
}

void rpc_call_system_error(struct rpc_call *call)
{
	svcerr_systemerr(&call->xprt);
	call_end(call);
}

void rpc_call_drop(struct rpc_call *call)
{
	call_end(call);
}

struct rpc_connection *rpc_call_peer(const struct rpc_call *call)
{
	return call->connection;
}
