/* The backup's half of a push: make the log equal to the primary's, then acknowledge what is durable
 * and proved equal in this view. */
#pragma once

#include "server/replica/state.h"

void replica_recv_push(struct replica *r, const struct replica_received *received);
/* The shell has taken a piece of the state that was pushed. */
void replica_staged(struct replica *r, const struct replica_staged *staged);
/* Acknowledges what waited for the disk and is durable now. */
void replica_answer_acks(struct replica *r);
