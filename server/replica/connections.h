/* Connections to the peers: what follows when one is made or lost, and from signs of life and silence (RULE 15). */
#pragma once

#include "server/replica/state.h"

void replica_peer_up(struct replica *r, const struct replica_peer_up *up);
void replica_peer_down(struct replica *r, const struct replica_name *name);
void replica_pong(struct replica *r, const struct replica_name *name);
/* Gives up attempts to connect, asks for signs of life, tries again, pushes. */
void replica_peers_tick(struct replica *r);
