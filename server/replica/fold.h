/* What the operations fold into is computed by each replica for itself. Its digest is compared with the primary's at equal
 * applied op: if it differs, one of the two programs is wrong, not a disk. The primary's stands, because clients have been told
 * it. A replica whose own differs stores and acknowledges as before, but answers no read. */
#pragma once

#include "server/replica/state.h"

/* At the begin of a step, when the state machine has applied all that was committed: takes its digest, and compares what was
 * heard. True: from now on no read is answered here, those that are held neither. */
bool replica_fold_begin(struct replica *r);
/* What a push of the serving primary says of its own. */
void replica_fold_heard(struct replica *r, uint64_t op, struct digest fold);
/* What a member says of its own. */
void replica_fold_of_peer(struct replica *r, struct replica_peer *peer, uint64_t op, struct digest fold);
/* A primary that serves: what it has computed is what clients are told from now on. */
void replica_fold_stands(struct replica *r);
/* The mark is on disk: it is reported from now on. */
void replica_fold_durable(struct replica *r);
