/* The primary's half of a push: one with content in flight a peer; what arrives meanwhile forms
 * the next one. A push that carries nothing but the commit point goes beside it, so that an idle cluster is level at
 * once. */
#pragma once

#include "server/replica/state.h"

/* Sends each peer what it lacks, unless a push to it is in flight. Nothing where this replica may not push. */
void replica_push_all(struct replica *r);
void replica_recv_ack(struct replica *r, const struct replica_acked *acked);
