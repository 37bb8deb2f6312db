/* The commit point (RULE 7): the lowest op that every member, and every learner that counts, has acknowledged in this
 * view. Moved by replica_commit_to alone, and only up. */
#pragma once

#include "server/replica/state.h"

/* At the primary: to what everybody has acknowledged; serves once the view is settled. */
void replica_advance(struct replica *r);
void replica_commit_to(struct replica *r, uint64_t op);
