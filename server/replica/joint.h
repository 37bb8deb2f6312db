/* Learners that count towards the commit point, and what the primary asks of the view manager (RULE 9, 10). */
#pragma once

#include "server/replica/state.h"

/* Writes a learner down once it is near the end of the log. */
void replica_joint_consider(struct replica *r, struct replica_peer *peer);
/* Those whose record is durable count from now on. */
void replica_joint_durable(struct replica *r);
/* Recomputes what the report asks of the view manager. */
void replica_needs_refresh(struct replica *r);
/* New orders wait: a learner does not catch up. */
bool replica_intake_slowed(const struct replica *r);
