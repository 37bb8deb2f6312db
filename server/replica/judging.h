/* Requests that are with the judge: not in the log yet, and perhaps soon (rule 12). Bounded by what the log may hold. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/uuid.h"

struct judging;

/* False: it is there already. The set begins as NULL and is NULL again when it is empty. */
bool judging_add(struct judging **set, struct uuid client, uint64_t request);
void judging_remove(struct judging **set, struct uuid client, uint64_t request);
bool judging_has(const struct judging *set, struct uuid client, uint64_t request);
void judging_free(struct judging **set);
