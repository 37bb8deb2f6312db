/* The other replicas as a primary knows them: which there are, and what to push to each from. */
#pragma once

#include "server/replica/state.h"

/* The front-end's peer list, complete. */
void replica_peers_sync(struct replica *r, const struct peers *list);
/* A new view, or deposed: RULE 5. */
void replica_peers_reset(struct replica *r);
/* At the primary: to each that is listed, unless it is too early for another attempt. */
void replica_peers_connect(struct replica *r);
/* The peer holds the committed history up to op with this digest: push from there, or find it damaged, or send
 * everything. */
void replica_peer_base(struct replica *r, struct replica_peer *peer, uint64_t op, struct digest digest);
