#include "rpc/cluster/hello.h"

#include <stdio.h>

#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"

#define HELLO_TIMEOUT_MS 1000

bool_t hello_format(XDR *xdr, uint32_t *format)
{
	u_int at = xdr_getpos(xdr);

	if (xdr->x_op != XDR_DECODE)
		return TRUE;
	return xdr_uint32_t(xdr, format) && xdr_setpos(xdr, at);
}

/* Status, text, format. */
static bool_t decode_kept(XDR *xdr, jh_hello_result *result)
{
	return xdr_jh_hello_status(xdr, &result->status) && xdr_jh_text(xdr, &result->error) &&
	       xdr_u_int(xdr, &result->me.format);
}

bool hello_decode(const struct rpc_reply *reply, jh_hello_result *result)
{
	if (reply->status != RPC_ANSWERED)
		return false;

	XDR whole = *reply->results;

	if (decode_kept(reply->results, result) && result->me.format != JH_CLUSTER_FORMAT) { /* RULE 17 */
		result->status = JH_HELLO_FORMAT;
		return true;
	}
	xdr_free((xdrproc_t)xdr_jh_text, (char *)&result->error);
	*result = (jh_hello_result){.status = JH_HELLO_OK};
	*reply->results = whole;
	return rpc_reply_decode(reply, (xdrproc_t)xdr_jh_hello_result, result);
}

const char *hello_name_formats(char *text, size_t size, uint32_t theirs, const char *them, const char *us)
{
	snprintf(text, size, OTHER_FORMAT_TEXT " %u, %s %u: upgrade %s", theirs, us, JH_CLUSTER_FORMAT,
		 theirs > JH_CLUSTER_FORMAT ? us : them);
	return text;
}

void hello_say(struct rpc_channel *channel, const struct identity *me, const struct identity *you, rpc_reply_fn answered,
	       void *context)
{
	jh_hello_args args;

	convert_identity_to_wire(me, &args.me);
	convert_identity_to_wire(you, &args.you);
	hello_1(&args, NULL, rpc_channel_call(channel, HELLO_TIMEOUT_MS, answered, context));
}

/* These have information beyond the refusal. */
static bool has_report(jh_hello_status status)
{
	return status == JH_HELLO_OK || status == JH_HELLO_BOUND || status == JH_HELLO_CLUSTER;
}

static bool from_wire(const jh_hello_result *wire, uint32_t id, struct hello_answer *answer)
{
	if ((int)wire->status < JH_HELLO_OK || wire->status > JH_HELLO_BOUND ||
	    !convert_identity_from_wire(&wire->me, &answer->identity))
		return false;
	answer->status = (enum hello_status)wire->status;
	answer->is_understood = true;
	answer->report = (struct report){.id = id};
	convert_text(answer->text, sizeof answer->text, wire->error.jh_text_val, wire->error.jh_text_len);
	return !has_report(wire->status) ||
	       (convert_report_from_wire(&wire->report, &answer->report) && answer->report.id == id);
}

bool hello_read(const struct rpc_reply *reply, uint32_t id, const char *them, const char *us, struct hello_answer *answer)
{
	jh_hello_result wire = {0};

	must(reply->status != RPC_LOST);
	/* A program of another version, or format, may not even understand the hello. */
	if (rpc_status_not_executed(reply->status)) {
		answer->status = HELLO_OTHER_FORMAT;
		answer->is_understood = false;
		snprintf(answer->text, sizeof answer->text,
			 OTHER_FORMAT_TEXT "s that %s does not: upgrade the older one (%.60s)", us, reply->error);
		return true;
	}
	if (!hello_decode(reply, &wire)) {
		snprintf(answer->text, sizeof answer->text, "%s",
			 reply->error != NULL ? reply->error : "its answer to HELLO is malformed");
		return false;
	}

	bool makes_sense = from_wire(&wire, id, answer);

	if (!makes_sense)
		snprintf(answer->text, sizeof answer->text, "its hello makes no sense");
	else if (wire.status == JH_HELLO_FORMAT && wire.me.format != JH_CLUSTER_FORMAT) {
		answer->status = HELLO_OTHER_FORMAT;
		hello_name_formats(answer->text, sizeof answer->text, wire.me.format, them, us);
	}
	xdr_free((xdrproc_t)xdr_jh_hello_result, &wire);
	return makes_sense;
}
