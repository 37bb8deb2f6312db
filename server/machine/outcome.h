/* What applying an operation gave, struct jh_entry_outcome of rpc/shop.x. It is decided once, the same at every replica, and
 * told to every repeat of the request. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "server/machine/encoding.h"

#define OUTCOME_VALUES 4 /* JH_VALUES_MAX */

/* enum jh_entry_result */
enum outcome_result { OUTCOME_APPLIED, OUTCOME_REFUSAL, OUTCOME_NOTHING, OUTCOME_PASSED };

struct outcome {
	enum outcome_result result;
	uint32_t reason; /* enum jh_reason, of a refusal */
	uint32_t values_count;
	int64_t values[OUTCOME_VALUES]; /* what it changed, or the figures of the reason */
};

/* Adds a value; more than OUTCOME_VALUES is a bug of the operation. */
void outcome_value(struct outcome *outcome, int64_t value);

#define OUTCOME_BYTES (12 + 8 * OUTCOME_VALUES) /* encoded, at most */

void outcome_encode(const struct outcome *outcome, struct encoder *encoder);
/* False when it is cut short, or no result, reason or number of values that there is. */
bool outcome_decode(struct decoder *decoder, struct outcome *outcome);

/* The digest of a fold in which this outcome follows. */
struct digest outcome_chain(struct digest before, const struct outcome *outcome);

/* --- kept for answers --------------------------------------------------------------------------------------------- */

/* By entry of the history. Most operations are done, and what they changed stands in the shop: of these nothing is kept, and
 * they take no memory. */
struct outcomes;

struct outcomes *outcomes_new(uint32_t entries_max);
void outcomes_free(struct outcomes *outcomes);
uint64_t outcomes_memory(const struct outcomes *outcomes); /* bytes in use */

/* Entries rise. */
void outcomes_add(struct outcomes *outcomes, uint32_t entry, const struct outcome *outcome);
/* Of an entry that was applied; without values when it was done. */
struct outcome outcomes_of(const struct outcomes *outcomes, uint32_t entry);
