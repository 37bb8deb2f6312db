#include "frontend/link_answer.h"

#include "rpc/base/must.h"
#include "rpc/replica.h"

/* The touches, which are for us: what follows them is the client's. False when they do not decode. */
static bool take_touches(const struct rpc_reply *reply, struct link_answer *answer)
{
	u_int before = XDR_GETPOS(reply->results);
	u_quad_t from, to;
	u_int count, touched = 0;

	*answer = (struct link_answer){.kind = LINK_AGAIN};
	if (!xdr_u_quad_t(reply->results, &from) || !xdr_u_quad_t(reply->results, &to) || !xdr_u_int(reply->results, &count) ||
	    count > JH_TOUCHES_MAX)
		return false;
	for (; touched < count; touched++) {
		jh_touch touch;

		if (!xdr_jh_touch(reply->results, &touch))
			return false;
	}
	size_t size = XDR_GETPOS(reply->results) - before;

	must(size <= reply->size);
	answer->bytes = reply->bytes + size;
	answer->size = reply->size - size;
	return true;
}

/* What an outcome other than done means for the router. */
static enum link_answer_kind settled(XDR *results, jh_outcome outcome)
{
	jh_reason reason;

	if (outcome == JH_KEY_REUSED)
		return LINK_REFUSED;
	if ((outcome != JH_REFUSED && outcome != JH_UNAVAILABLE) || !xdr_jh_reason(results, &reason) ||
	    reason == JH_REASON_BUSY || reason == JH_REASON_NO_PRIMARY)
		return LINK_AGAIN;
	return outcome == JH_REFUSED ? LINK_REFUSED : LINK_UNAVAILABLE;
}

/* Both results begin with the outcome and what the answer rests on. */
struct link_answer link_answer_of(const struct rpc_reply *reply)
{
	struct link_answer answer;
	XDR *results = reply->results;
	jh_outcome outcome;
	jh_basis basis;

	if (!take_touches(reply, &answer) || !xdr_jh_outcome(results, &outcome) || !xdr_jh_basis(results, &basis))
		return answer;
	answer.op = basis.op;
	answer.kind = outcome == JH_DONE ? LINK_DONE : settled(results, outcome);
	return answer;
}

bool_t link_answer_encode(XDR *xdr, struct link_answer *answer)
{
	return XDR_PUTBYTES(xdr, answer->bytes, (u_int)answer->size);
}
