/* The services that a replica's core needs of the order history: rule 11's lookup, the request of a body, the size of
 * the state; answered from what is applied. And the action that the core wants carried out on it. */
#pragma once

#include "server/machine/machine.h"
#include "server/replica/replica.h"

/* machine: points to the present one at each call; another may replace it meanwhile. Borrowed for as long as
 * the core lives. */
struct replica_service machine_service(struct machine **machine);

/* Applies the core's log up to op. */
void machine_service_apply(struct machine *machine, const struct replica *replica, uint64_t op);
