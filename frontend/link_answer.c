#include "frontend/link_answer.h"

static struct link_answer whole(const struct rpc_reply *reply)
{
	return (struct link_answer){.kind = LINK_AGAIN, .bytes = reply->bytes, .size = reply->size};
}

/* What an outcome other than done means for the router. */
static enum link_answer_kind settled(XDR *results, jh_outcome outcome)
{
	jh_reason reason;

	if ((outcome != JH_REFUSED && outcome != JH_UNAVAILABLE) || !xdr_jh_reason(results, &reason) ||
	    reason == JH_REASON_BUSY || reason == JH_REASON_NO_PRIMARY)
		return LINK_AGAIN;
	return outcome == JH_REFUSED ? LINK_REFUSED : LINK_UNAVAILABLE;
}

struct link_answer link_write_answer(const struct rpc_reply *reply)
{
	struct link_answer answer = whole(reply);
	XDR *results = reply->results;
	char postcode[JH_POSTCODE_MAX];
	jh_order_placed placed = {.postcode = {.postcode_val = postcode}}; /* room of its own: nothing is allocated */
	jh_operation_kind kind;
	jh_outcome outcome;

	if (!xdr_jh_outcome(results, &outcome))
		return answer;
	if (outcome != JH_DONE) {
		answer.kind = settled(results, outcome);
		return answer;
	}
	if (xdr_jh_operation_kind(results, &kind) && kind == JH_OPERATION_ORDER &&
	    xdr_jh_order_placed(results, &placed)) {
		answer.kind = LINK_DONE;
		answer.op = placed.op;
	}
	return answer;
}

struct link_answer link_read_answer(const struct rpc_reply *reply)
{
	struct link_answer answer = whole(reply);
	XDR *results = reply->results;
	jh_outcome outcome;
	u_quad_t op;

	if (!xdr_jh_outcome(results, &outcome))
		return answer;
	if (outcome != JH_DONE) {
		answer.kind = settled(results, outcome);
	} else if (xdr_u_quad_t(results, &op)) {
		answer.kind = LINK_DONE;
		answer.op = op;
	}
	return answer;
}

bool_t link_answer_encode(XDR *xdr, struct link_answer *answer)
{
	return XDR_PUTBYTES(xdr, answer->bytes, (u_int)answer->size);
}
