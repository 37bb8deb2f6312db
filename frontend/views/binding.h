/* Binding a replica to this manager (rules 18, 20). One BIND at a time is under way on a connection, so that every
 * answer belongs to the last one. */
#pragma once

#include "frontend/views/state.h"

/* Unless it is bound already. */
void vm_bind(struct views *v, struct known *k);
/* Asks one that is bound, too: whether it still is, in this round of a take-over. */
void vm_bind_ask(struct views *v, struct known *k, uint64_t round);
