/* Another replica: who it is, whether orders wait for it, whether it can be reached. */
#pragma once

#include "server/replica/state.h"

struct replica_peer *replica_peer_find(struct replica *r, uint32_t id, struct uuid uuid); /* NULL: none */
struct replica_name replica_peer_name(const struct replica_peer *peer);
bool replica_peer_member(const struct replica *r, const struct replica_peer *peer);
/* Members, and learners that count: an order waits for each of them. */
bool replica_peer_counts(const struct replica *r, const struct replica_peer *peer);
/* RULE 19: it could never apply the end of our log. */
bool replica_peer_too_small(const struct replica *r, const struct replica_peer *peer);
/* RULE 15 */
bool replica_cannot_be_reached(const struct replica *r, const struct replica_peer *peer);
/* Members that would be reported if an order waited for them. */
uint32_t replica_members_gone(const struct replica *r);
void replica_peer_disconnect(struct replica *r, struct replica_peer *peer);
