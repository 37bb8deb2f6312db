/* Learners that count towards the commit point, and what the primary asks of the view manager (RULE 9, 10). */
#pragma once

#include "server/replica/state.h"

void replica_joint_consider(struct replica *r, struct replica_peer *peer);
void replica_joint_durable(struct replica *r);
void replica_needs_refresh(struct replica *r);
bool replica_intake_slowed(const struct replica *r);
