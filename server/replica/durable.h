/* What follows once a write is on disk, in the order in which it may be said. */
#pragma once

#include "server/replica/state.h"

void replica_durable(struct replica *r, uint64_t ticket);
