/* What a replica answers to SUBMIT and QUERY: a verdict of the core, and what the history says about it, as structs of the
 * wire. Every answer says what it rests on: generation, the op that was applied, and whether it is final. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/net/server.h"
#include "rpc/shop.h"
#include "server/machine/outcome.h"
#include "server/replica/replica.h"

struct machine;

/* Where answers are taken from. */
struct answers_source {
	const struct machine *machine;
	struct uuid cluster, generation;
};

/* A problem that speaks for its call only. */
void answers_problem(struct rpc_call *call, const struct answers_source *source, bool is_read, jh_outcome outcome,
		     jh_reason reason, const char *text);

/* The request that a verdict is about. */
struct answers_request {
	uint32_t kind; /* enum jh_operation_kind */
	uint64_t number;
};

/* What was decided by an entry of the log: VERDICT_DECIDED, VERDICT_REUSED, VERDICT_PASSED. */
void answers_decided(struct rpc_call *call, const struct answers_source *source, const struct answers_request *request,
		     enum replica_verdict verdict, uint64_t op);

/* What the applied state refuses: values are the figures of the reason. */
void answers_not_admitted(struct rpc_call *call, const struct answers_source *source,
			  const struct answers_request *request, const struct outcome *refusal);

/* Why the primary does not take the request now: VERDICT_FULL, VERDICT_DISK_FULL, VERDICT_TOO_FEW, VERDICT_BUSY. */
void answers_no_room(struct rpc_call *call, const struct answers_source *source, const struct answers_request *request,
		     const struct replica_answer *answer);

/* MOVED: this replica does not decide. */
void answers_moved(struct rpc_call *call, bool is_read);

/* The basis of an answer that the log has not decided. */
jh_basis answers_basis(const struct answers_source *source);
