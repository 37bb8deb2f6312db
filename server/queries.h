/* Queries, answered from the live state. */
#pragma once

#include "server/answers.h"

/* Replies to the call. */
void queries_answer(struct rpc_call *call, const struct answers_source *source, const jh_query *query);
