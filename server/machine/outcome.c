#include "server/machine/outcome.h"

#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/machine/arena.h"

#define REASON_HIGHEST 0xffff /* room for reasons of later programs */

void outcome_value(struct outcome *outcome, int64_t value)
{
	must(outcome->values_count < OUTCOME_VALUES);
	outcome->values[outcome->values_count++] = value;
}

void outcome_encode(const struct outcome *outcome, struct encoder *encoder)
{
	encoder_word(encoder, outcome->result);
	encoder_word(encoder, outcome->reason);
	encoder_word(encoder, outcome->values_count);
	for (uint32_t i = 0; i < outcome->values_count; i++)
		encoder_hyper(encoder, (uint64_t)outcome->values[i]);
}

bool outcome_decode(struct decoder *decoder, struct outcome *outcome)
{
	uint32_t result;

	*outcome = (struct outcome){0};
	if (!decoder_word(decoder, &result) || result > OUTCOME_PASSED || !decoder_word(decoder, &outcome->reason) ||
	    outcome->reason > REASON_HIGHEST || !decoder_word(decoder, &outcome->values_count) ||
	    outcome->values_count > OUTCOME_VALUES)
		return false;
	outcome->result = (enum outcome_result)result;
	for (uint32_t i = 0; i < outcome->values_count; i++) {
		uint64_t value;

		if (!decoder_hyper(decoder, &value))
			return false;
		outcome->values[i] = (int64_t)value;
	}
	return true;
}

struct digest outcome_chain(struct digest before, const struct outcome *outcome)
{
	uint8_t bytes[OUTCOME_BYTES];
	struct encoder encoder = {.at = bytes, .left = sizeof bytes};

	outcome_encode(outcome, &encoder);
	must(!encoder.failed);
	return digest_chain(before, bytes, sizeof bytes - encoder.left);
}

/* --- kept for answers --------------------------------------------------------------------------------------------- */

struct kept {
	uint32_t entry;
	struct outcome outcome;
};

struct outcomes {
	struct arena kept; /* struct kept, by rising entry */
};

struct outcomes *outcomes_new(uint32_t entries_max)
{
	struct outcomes *outcomes = calloc(1, sizeof *outcomes);

	must_allocate(outcomes);
	arena_reserve(&outcomes->kept, ((size_t)entries_max + 1) * sizeof(struct kept));
	return outcomes;
}

void outcomes_free(struct outcomes *outcomes)
{
	arena_release(&outcomes->kept);
	free(outcomes);
}

uint64_t outcomes_memory(const struct outcomes *outcomes)
{
	return sizeof *outcomes + outcomes->kept.used;
}

static const struct kept *kept_at(const struct outcomes *outcomes, size_t index)
{
	return (const struct kept *)(const void *)outcomes->kept.base + index;
}

static size_t count_of(const struct outcomes *outcomes)
{
	return outcomes->kept.used / sizeof(struct kept);
}

void outcomes_add(struct outcomes *outcomes, uint32_t entry, const struct outcome *outcome)
{
	struct kept *kept;

	if (outcome->result == OUTCOME_APPLIED)
		return;
	must(count_of(outcomes) == 0 || kept_at(outcomes, count_of(outcomes) - 1)->entry < entry);
	kept = arena_take(&outcomes->kept, sizeof *kept);
	*kept = (struct kept){.entry = entry, .outcome = *outcome};
}

struct outcome outcomes_of(const struct outcomes *outcomes, uint32_t entry)
{
	size_t low = 0, high = count_of(outcomes);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (kept_at(outcomes, middle)->entry < entry)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < count_of(outcomes) && kept_at(outcomes, low)->entry == entry)
		return kept_at(outcomes, low)->outcome;
	return (struct outcome){.result = OUTCOME_APPLIED};
}
