#include "rpc/cluster/hello.h"

#include <stdio.h>

#include "rpc/cluster/protocol.h"

bool_t hello_format(XDR *xdr, uint32_t *format)
{
	u_int at = xdr_getpos(xdr);

	if (xdr->x_op != XDR_DECODE)
		return TRUE;
	return xdr_uint32_t(xdr, format) && xdr_setpos(xdr, at);
}

/* Verdict, text, format. */
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
