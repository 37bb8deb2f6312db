/* What a replica's core asks of the order history: rule 11's lookup, whose request a body is, how large the state is.
 * It answers from what is applied. And what the core asks to be done to it. */
#pragma once

#include "server/machine/machine.h"
#include "server/replica/replica.h"

/* orders: where the history is to be found whenever it is asked for; another one may be put there meanwhile. Borrowed
 * for as long as the core lives. */
struct replica_service machine_service(struct machine **machine);

/* Applies the core's log up to op. */
void machine_service_apply(struct machine *machine, const struct replica *replica, uint64_t op);
