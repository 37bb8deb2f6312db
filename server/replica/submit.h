/* Requests: writes from their arrival to their answer, reads until they may be answered. Every token is in exactly one
 * place: held, in validation, waiting for an op of the log or for an older call of its request, or answered. */
#pragma once

#include "server/replica/state.h"

void replica_submit(struct replica *r, const struct replica_request *request);
void replica_propose(struct replica *r, const struct replica_proposal *proposal);
void replica_decline(struct replica *r, const struct replica_request *request);
void replica_query(struct replica *r, const struct replica_query *query);
/* Submits that were held go on, as far as the state and the room in the log allow. */
void replica_release_held(struct replica *r);
/* At the end of a turn: what an earlier step left undecided, because the state machine had yet to apply what that committed. */
void replica_go_on(struct replica *r);
/* Reads whose floor is reached, or whose view is over, are answered. */
void replica_release_reads(struct replica *r);
/* The ops first to last are applied now. */
void replica_answer_waiters(struct replica *r, uint64_t first, uint64_t last);
/* Ends everything held as moved. */
void replica_drop_requests(struct replica *r);
/* At a new primary: its log becomes the known requests. */
void replica_index_log(struct replica *r);
/* Reads held for too long end as moved: the primary is asked. */
void replica_expire_reads(struct replica *r);
