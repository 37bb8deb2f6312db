#include "rpc/cluster/hello.h"

#include <stdio.h>

#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"

#define HELLO_TIMEOUT_MS 1000

_Static_assert(JH_CLUSTER_FORMAT >= FORMAT_LOW && JH_CLUSTER_FORMAT <= FORMAT_HIGH, "what rpc/replica.x declares is spoken");

static bool_t take_formats(XDR *xdr, struct format_range *formats)
{
	if (!xdr_uint32_t(xdr, &formats->low))
		return FALSE;
	formats->high = formats->low;
	return (formats->low < FORMAT_RANGE_SINCE || xdr_uint32_t(xdr, &formats->high)) && format_range_valid(*formats);
}

bool_t hello_formats(XDR *xdr, struct format_range *formats)
{
	u_int at = xdr_getpos(xdr);

	if (xdr->x_op != XDR_DECODE)
		return TRUE;
	return take_formats(xdr, formats) && xdr_setpos(xdr, at);
}

/* Status, text, formats. */
static bool_t decode_kept(XDR *xdr, jh_hello_result *result, struct format_range *formats)
{
	return xdr_jh_hello_status(xdr, &result->status) && xdr_jh_text(xdr, &result->error) && take_formats(xdr, formats);
}

bool hello_decode(const struct rpc_reply *reply, jh_hello_result *result)
{
	struct format_range theirs = {0};

	if (reply->status != RPC_ANSWERED)
		return false;

	XDR whole = *reply->results;

	if (decode_kept(reply->results, result, &theirs) && !format_range_overlaps(theirs, FORMAT_RANGE_OWN)) { /* RULE 17 */
		result->status = JH_HELLO_FORMAT;
		result->me.format_low = theirs.low;
		result->me.format_high = theirs.high;
		return true;
	}
	xdr_free((xdrproc_t)xdr_jh_text, (char *)&result->error);
	*result = (jh_hello_result){.status = JH_HELLO_OK};
	*reply->results = whole;
	return rpc_reply_decode(reply, (xdrproc_t)xdr_jh_hello_result, result);
}

void hello_say(struct rpc_channel *channel, const struct identity *me, const struct identity *you, rpc_reply_fn answered,
	       void *context)
{
	jh_hello_args args = {.known = 0};

	convert_identity_to_wire(me, &args.me);
	convert_identity_to_wire(you, &args.you);
	hello_1(&args, NULL, rpc_channel_call(channel, HELLO_TIMEOUT_MS, answered, context));
	xdr_free((xdrproc_t)xdr_jh_hello_args, &args);
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
	else if (wire.status == JH_HELLO_FORMAT &&
		 !format_range_agrees(answer->identity.formats, FORMAT_RANGE_OWN, answer->identity.format)) {
		answer->status = HELLO_OTHER_FORMAT;
		format_range_explain(answer->identity.formats, FORMAT_RANGE_OWN, answer->identity.format, them, us,
				     answer->text, sizeof answer->text);
	}
	xdr_free((xdrproc_t)xdr_jh_hello_result, &wire);
	return makes_sense;
}
