/* Looks into a replica's encoded answer only as far as the router needs; the bytes pass to the client as they are. */
#pragma once

#include <rpc/rpc.h>

#include "frontend/links.h"
#include "rpc/net/channel.h"

/* reply: RPC_ANSWERED, its results a jh_submit_result or jh_query_result, which begin alike; the answer's bytes point into
 * it. */
struct link_answer link_answer_of(const struct rpc_reply *reply);

/* An xdrproc_t's work: encodes the bytes of a struct link_answer. */
bool_t link_answer_encode(XDR *xdr, struct link_answer *answer);
