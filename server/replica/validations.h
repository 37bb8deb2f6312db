/* Requests in validation: not in the log yet, and perhaps soon (rule 12). Later calls of such a request wait
 * for it. Bounded by what the log may hold. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/uuid.h"

struct validation;

/* False: it is there already. The set begins as NULL and is NULL again when it is empty. */
bool validations_add(struct validation **set, struct uuid client, uint64_t request);

/* The list (waiters.h) of those that wait for it, until it is removed; NULL: it is not in validation. */
uint32_t *validations_waiters(struct validation *set, struct uuid client, uint64_t request);

/* Returns the list of those that waited for it. */
uint32_t validations_remove(struct validation **set, struct uuid client, uint64_t request);

/* Every list, in no order. */
void validations_each(struct validation *set, void (*each)(void *context, uint32_t *waiters), void *context);
void validations_free(struct validation **set);
