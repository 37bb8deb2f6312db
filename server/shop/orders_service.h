/* What a replica's core asks of the order history: rule 11's lookup, whose request a body is, how large the state is.
 * It answers from what is applied. And what the core asks to be done to it. */
#pragma once

#include "server/machine/orders.h"
#include "server/replica/replica.h"

/* orders: where the history is to be found whenever it is asked for; another one may be put there meanwhile. Borrowed
 * for as long as the core lives. */
struct replica_service orders_service(struct orders **orders);

/* Applies the core's log up to op. */
void orders_service_apply(struct orders *orders, const struct replica *replica, uint64_t op);
