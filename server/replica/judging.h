/* Requests that are with the judge: not in the log yet, and perhaps soon (rule 12). Later calls of such a request wait
 * for it. Bounded by what the log may hold. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/uuid.h"

struct judging;

/* False: it is there already. The set begins as NULL and is NULL again when it is empty. */
bool judging_add(struct judging **set, struct uuid client, uint64_t request);

/* The list (waiters.h) of those that wait for it, until it is removed; NULL: it is not with the judge. */
uint32_t *judging_waiters(struct judging *set, struct uuid client, uint64_t request);

/* Returns the list of those that waited for it. */
uint32_t judging_remove(struct judging **set, struct uuid client, uint64_t request);

/* Every list, in no order. */
void judging_each(struct judging *set, void (*each)(void *context, uint32_t *waiters), void *context);
void judging_free(struct judging **set);
