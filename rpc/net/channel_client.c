/* The calls of a channel: the CLIENT that is handed to a stub, and how each call ends, exactly once. */
#include <sys/queue.h>

#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/net/channel_internal.h"
#include "rpc/net/message.h"

/* --- the CLIENT of a stub ----------------------------------------------------------------------------------------- */

static void fail_later(struct rpc_channel *channel, struct call *call, enum rpc_status status)
{
	call->failure = status;
	TAILQ_INSERT_TAIL(&channel->failed, call, link);
	channel_need_flush(channel);
}

static enum clnt_stat client_call(CLIENT *client, rpcproc_t procedure, xdrproc_t encode, void *arguments,
				  xdrproc_t decode, void *results, struct timeval timeout)
{
	struct rpc_channel *channel = client->cl_private;
	struct call *call = channel->next_call;

	(void)decode;
	(void)results;
	(void)timeout;
	must(call != NULL);
	channel->next_call = NULL;
	channel->in_flight++;
	call->xid = channel->next_xid++;
	if (channel->state == DEAD) {
		fail_later(channel, call, RPC_LOST);
		return RPC_SUCCESS;
	}
	if (!call_encode(&channel->output, call->xid, channel->program, channel->version, procedure, encode,
			 arguments)) {
		fail_later(channel, call, RPC_REJECTED);
		return RPC_SUCCESS;
	}
	call_table_add(&channel->calls, call);
	if (channel->timer_us == 0 || call->deadline.at_us < channel->timer_us)
		channel_set_timer(channel, call->deadline.at_us, rpc_clock_us());
	channel_need_flush(channel);
	return RPC_SUCCESS;
}

static void client_abort(CLIENT *client)
{
	(void)client;
}

static void client_geterr(CLIENT *client, struct rpc_err *error)
{
	(void)client;
	*error = (struct rpc_err){.re_status = RPC_SUCCESS};
}

static bool_t client_freeres(CLIENT *client, xdrproc_t decode, void *results)
{
	(void)client;
	xdr_free(decode, results);
	return TRUE;
}

static bool_t client_control(CLIENT *client, u_int request, void *info)
{
	(void)client;
	(void)request;
	(void)info;
	return FALSE;
}

struct clnt_ops channel_client_ops = {
	.cl_call = client_call,
	.cl_abort = client_abort,
	.cl_geterr = client_geterr,
	.cl_freeres = client_freeres,
	.cl_destroy = client_abort,
	.cl_control = client_control,
};

CLIENT *rpc_channel_call(struct rpc_channel *channel, uint32_t timeout_ms, rpc_reply_fn answered, void *context)
{
	must(!channel->closed);
	must(channel->next_call == NULL);

	struct call *call = call_table_new_call(&channel->calls);

	call->answered = answered;
	call->context = context;
	call->deadline.at_us = rpc_clock_us() + (uint64_t)timeout_ms * 1000u;
	channel->next_call = call;
	return &channel->client;
}

/* --- how a call ends ---------------------------------------------------------------------------------------------- */

static void tell(struct rpc_channel *channel, struct call *call, const struct rpc_reply *reply)
{
	rpc_reply_fn answered = call->answered;
	void *context = call->context;

	must(channel->in_flight > 0);
	channel->in_flight--;
	call_table_free_call(&channel->calls, call);
	answered(context, reply);
}

static void tell_failure(struct rpc_channel *channel, struct call *call, enum rpc_status status, const char *error)
{
	tell(channel, call, &(struct rpc_reply){.status = status, .error = error});
}

void channel_lose_calls(struct rpc_channel *channel, const char *reason)
{
	struct call *call;

	while (!channel->closed && (call = call_table_first(&channel->calls)) != NULL) {
		call_table_take(&channel->calls, call);
		tell_failure(channel, call, RPC_LOST, reason);
	}
}

void channel_expire_calls(struct rpc_channel *channel, uint64_t now_us)
{
	struct call *call;

	while (!channel->closed && (call = call_table_first(&channel->calls)) != NULL &&
	       call->deadline.at_us <= now_us) {
		call_table_take(&channel->calls, call);
		tell_failure(channel, call, RPC_LATE, "no answer within the deadline");
	}
}

void channel_tell_failed(struct rpc_channel *channel)
{
	struct call_queue failed = TAILQ_HEAD_INITIALIZER(failed);
	struct call *call;

	TAILQ_CONCAT(&failed, &channel->failed, link);
	while (!channel->closed && (call = TAILQ_FIRST(&failed)) != NULL) {
		TAILQ_REMOVE(&failed, call, link);
		tell_failure(channel, call, call->failure,
			     call->failure == RPC_LOST ? "the connection has ended"
						       : "the arguments cannot be encoded");
	}
	call_queue_free(&failed);
}

static enum rpc_status failure_of(enum reply_verdict verdict, const struct reply_head *head)
{
	if (verdict == REPLY_FAILED)
		return RPC_PEER_FAILED;
	return head->no_program ? RPC_NOT_SERVED : RPC_REJECTED;
}

bool channel_take_reply(struct rpc_channel *channel, const uint8_t *record, size_t size)
{
	struct reply_head head;
	enum reply_verdict verdict = reply_head_parse(record, size, &head);

	if (verdict == REPLY_GARBAGE)
		return false;

	struct call *call = call_table_find(&channel->calls, head.xid);

	/* Its deadline has passed, or it was never ours. */
	if (call == NULL)
		return true;
	call_table_take(&channel->calls, call);
	if (verdict != REPLY_SUCCESS) {
		tell(channel, call, &(struct rpc_reply){.status = failure_of(verdict, &head), .error = head.why,
							.version_low = head.version_low,
							.version_high = head.version_high});
		return true;
	}

	const uint8_t *bytes = record + head.results_at;
	XDR results;

	size -= head.results_at;
	xdrmem_create(&results, (char *)(uintptr_t)bytes, (u_int)size, XDR_DECODE);
	tell(channel, call, &(struct rpc_reply){.status = RPC_ANSWERED, .results = &results, .bytes = bytes,
						.size = size});
	return true;
}

bool rpc_status_not_executed(enum rpc_status status)
{
	return status == RPC_REJECTED || status == RPC_NOT_SERVED;
}

bool rpc_reply_decode(const struct rpc_reply *reply, xdrproc_t decode, void *result)
{
	if (reply->status != RPC_ANSWERED)
		return false;
	if (decode(reply->results, result, 0))
		return true;
	xdr_free(decode, result);
	return false;
}
