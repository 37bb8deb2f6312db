#include "rpc/cluster/identify.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/shortage.h"
#include "rpc/net/address.h"
#include "rpc/net/blocking_call.h"
#include "rpc/net/channel.h"
#include "rpc/replica.h"


struct identify {
	struct event_base *base;
	uint32_t program;
	char address[LIMIT_ADDRESS_BYTES];
	uint64_t deadline_us;
	identify_fn told;
	void *context;
	struct rpc_channel *channel;
};

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* A row that is only partly like a replica's comes from another version. */
static enum identify_kind kind_of_unread_row(uint32_t first_word)
{
	return first_word > 0 && first_word <= LIMIT_REPLICA_ID ? IDENTIFY_UNKNOWN : IDENTIFY_OTHER;
}

static struct identity_told told_of_row(uint32_t program, uint32_t id)
{
	if (id == 0 || id > LIMIT_REPLICA_ID || id >= program)
		return (struct identity_told){.kind = IDENTIFY_OTHER};
	return (struct identity_told){.kind = IDENTIFY_REPLICA, .program_base = program - id, .id = id};
}

/* --- on the loop -------------------------------------------------------------------------------------------------- */

void identify_cancel(struct identify *identify)
{
	if (identify == NULL)
		return;
	rpc_channel_close(identify->channel);
	free(identify);
}

static void tell(struct identify *identify, const struct identity_told *told)
{
	identify_fn fn = identify->told;
	void *context = identify->context;

	identify_cancel(identify);
	fn(context, told);
}

static uint32_t left_ms(const struct identify *identify)
{
	uint64_t now_us = rpc_clock_us();

	return identify->deadline_us > now_us ? (uint32_t)((identify->deadline_us - now_us) / 1000) + 1 : 1;
}

static void frontend_answered(void *context, const struct rpc_reply *reply)
{
	struct identify *identify = context;
	struct identity_told told = {.kind = IDENTIFY_UNKNOWN};
	jh_cluster_status status = {0};

	if (reply->status == RPC_LOST)
		return; /* `closed` follows */
	if (reply->status == RPC_REJECTED)
		told.kind = IDENTIFY_OTHER;
	else if (reply->status == RPC_ANSWERED)
		told = (struct identity_told){.kind = rpc_reply_decode(reply, (xdrproc_t)xdr_jh_cluster_status, &status)
							      ? IDENTIFY_FRONTEND
							      : IDENTIFY_OTHER,
					      .program_base = identify->program};
	if (told.kind == IDENTIFY_FRONTEND)
		xdr_free((xdrproc_t)xdr_jh_cluster_status, &status);
	tell(identify, &told);
}

static void channel_closed(void *context, enum rpc_end end, const char *reason)
{
	struct identify *identify = context;

	(void)reason;
	tell(identify, &(struct identity_told){.kind = end == RPC_END_NO_RPC ? IDENTIFY_OTHER : IDENTIFY_UNKNOWN});
}

/* A channel speaks one version of the program: those of a replica and of a front-end differ. */
static CLIENT *ask_as(struct identify *identify, rpcvers_t version, rpc_reply_fn answered)
{
	static const struct rpc_channel_events events = {.closed = channel_closed};

	rpc_channel_close(identify->channel);
	identify->channel = rpc_channel_open(identify->base, identify->address, identify->program, version, &events,
					     identify);
	return rpc_channel_call(identify->channel, left_ms(identify), answered, identify);
}

static void replica_answered(void *context, const struct rpc_reply *reply)
{
	struct identify *identify = context;
	struct identity_told told = {.kind = IDENTIFY_UNKNOWN};
	jh_replica_row row = {0};

	if (reply->status == RPC_LOST)
		return;
	if (reply->status == RPC_REJECTED) {
		cluster_status_2(NULL, NULL, ask_as(identify, JH_FRONTEND_V2, frontend_answered));
		return;
	}
	if (reply->status == RPC_NOT_SERVED) {
		told.kind = IDENTIFY_GONE;
	} else if (reply->status == RPC_ANSWERED) {
		XDR whole = *reply->results;
		u_int first = 0;

		if (rpc_reply_decode(reply, (xdrproc_t)xdr_jh_replica_row, &row)) {
			told = told_of_row(identify->program, row.id);
			xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
		} else {
			told.kind = kind_of_unread_row(xdr_u_int(&whole, &first) ? first : 0);
		}
	}
	tell(identify, &told);
}

struct identify *identify(struct event_base *base, const char *address, uint32_t program, uint32_t timeout_ms,
			  identify_fn told, void *context)
{
	struct identify *identify = calloc(1, sizeof *identify);

	must_allocate(identify);
	identify->base = base;
	identify->program = program;
	identify->deadline_us = rpc_clock_us() + (uint64_t)timeout_ms * 1000u;
	identify->told = told;
	identify->context = context;
	snprintf(identify->address, sizeof identify->address, "%s", address);
	replica_status_1(NULL, NULL, ask_as(identify, JH_REPLICA_V1, replica_answered));
	return identify;
}

/* --- for threads that may block ----------------------------------------------------------------------------------- */

static bool_t no_arguments(XDR *xdr, ...)
{
	(void)xdr;
	return TRUE;
}

static enum blocking_result call(const struct rpc_address *address, uint32_t program, rpcvers_t version, rpcproc_t procedure,
				 xdrproc_t decode, void *results, uint64_t deadline_us)
{
	char why[128];

	return blocking_call(&(struct blocking_call){
		.address = address, .program = program, .version = version, .procedure = procedure,
		.encode = no_arguments, .decode = decode, .results = results, .deadline_us = deadline_us,
	}, why, sizeof why);
}

void identify_blocking(const char *address, uint32_t program, uint32_t timeout_ms, struct identity_told *told)
{
	uint64_t deadline_us = rpc_clock_us() + (uint64_t)timeout_ms * 1000u;
	struct rpc_address peer;
	jh_replica_row row = {0};
	jh_cluster_status status = {0};
	enum blocking_result result;

	*told = (struct identity_told){.kind = IDENTIFY_UNKNOWN};
	if (!rpc_address_parse(address, &peer) || rpc_address_port(&peer) == 0)
		return;
	result = call(&peer, program, JH_REPLICA_V1, REPLICA_STATUS, (xdrproc_t)xdr_jh_replica_row, &row, deadline_us);
	if (result == BLOCKING_ANSWERED) {
		*told = told_of_row(program, row.id);
		xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	}
	if (result == BLOCKING_STRANGER)
		told->kind = IDENTIFY_GONE;
	if (result != BLOCKING_REJECTED)
		return;
	result = call(&peer, program, JH_FRONTEND_V2, CLUSTER_STATUS, (xdrproc_t)xdr_jh_cluster_status, &status, deadline_us);
	if (result == BLOCKING_ANSWERED) {
		*told = (struct identity_told){.kind = IDENTIFY_FRONTEND, .program_base = program};
		xdr_free((xdrproc_t)xdr_jh_cluster_status, &status);
	} else if (result == BLOCKING_REJECTED) {
		told->kind = IDENTIFY_OTHER;
	}
}

const char *identify_text(const struct identity_told *told, char text[static IDENTIFY_TEXT])
{
	switch (told->kind) {
	case IDENTIFY_REPLICA:
		snprintf(text, IDENTIFY_TEXT, "replica %u of the cluster with --program-base %u", told->id,
			 told->program_base);
		return text;
	case IDENTIFY_FRONTEND:
		snprintf(text, IDENTIFY_TEXT, "the front-end of the cluster with --program-base %u", told->program_base);
		return text;
	case IDENTIFY_OTHER:
		snprintf(text, IDENTIFY_TEXT, "a service of another kind");
		return text;
	case IDENTIFY_GONE:
	case IDENTIFY_UNKNOWN:
		break;
	}
	snprintf(text, IDENTIFY_TEXT, "a process that does not say which");
	return text;
}

void identify_name(const char *address, uint32_t program, uint32_t timeout_ms, char who[static IDENTIFY_TEXT])
{
	struct identity_told told;

	identify_blocking(address, program, timeout_ms, &told);
	identify_text(&told, who);
}
