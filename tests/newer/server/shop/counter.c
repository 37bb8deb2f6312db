#include "server/shop/counter.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/shop.h"
#include "server/machine/arena.h"
#include "server/machine/history.h"
#include "server/shop/shop.h"

#define COUNTERS 16
#define ADMITTED_BELOW 8 /* the others are left to the log, so that it refuses some */

struct counter {
	uint32_t number;
	int64_t change;
};

/* What an operation that was done changed. */
struct changed {
	uint32_t entry;
	int64_t value;
};

struct counters {
	const struct history *history;
	int64_t values[COUNTERS];
	struct arena changed; /* struct changed, by rising entry */
};

static void *fold_new(const struct history *history, uint32_t entries_max)
{
	struct counters *counters = calloc(1, sizeof *counters);

	must_allocate(counters);
	counters->history = history;
	arena_reserve(&counters->changed, ((size_t)entries_max + 1) * sizeof(struct changed));
	return counters;
}

static void fold_free(void *fold)
{
	struct counters *counters = fold;

	arena_release(&counters->changed);
	free(counters);
}

static uint64_t fold_memory(const void *fold)
{
	const struct counters *counters = fold;

	return sizeof *counters + counters->changed.used;
}

static struct counters *counters_of(const struct shop *shop)
{
	return shop_fold(shop, &counter_operation);
}

static bool parse(const void *content, size_t size, struct counter *counter)
{
	struct decoder decoder = {.at = content, .left = size};
	uint64_t change;

	if (!decoder_word(&decoder, &counter->number) || !decoder_hyper(&decoder, &change) || decoder.left > 0)
		return false;
	counter->change = (int64_t)change;
	return counter->number < COUNTERS;
}

static struct counter counter_of(const struct body *body)
{
	struct counter counter;

	must(parse(body->content, body->content_size, &counter));
	return counter;
}

static bool is_canonical(const void *content, size_t size)
{
	struct counter counter;

	return parse(content, size, &counter);
}

static void prefetch(const struct shop *shop, const struct body *body)
{
	(void)shop;
	(void)body;
}

static void refuse(int64_t available, struct outcome *outcome)
{
	outcome->result = OUTCOME_REFUSAL;
	outcome->reason = JH_REASON_BAD_REQUEST;
	outcome_value(outcome, available);
}

/* False when the value would be below 0, or too large to be one. */
static bool add(int64_t *value, int64_t change)
{
	int64_t sum;

	if (__builtin_add_overflow(*value, change, &sum) || sum < 0)
		return false;
	*value = sum;
	return true;
}

static void apply(struct shop *shop, uint32_t entry, const struct body *body, struct outcome *outcome)
{
	struct counters *counters = counters_of(shop);
	struct counter counter = counter_of(body);
	int64_t *value = &counters->values[counter.number];
	struct changed *changed;

	if (!add(value, counter.change)) {
		refuse(*value, outcome);
		return;
	}
	changed = arena_take(&counters->changed, sizeof *changed);
	*changed = (struct changed){.entry = entry, .value = *value};
	outcome_value(outcome, *value);
}

static bool encode(const struct jh_operation *asked, struct encoder *content, struct operation_problem *problem)
{
	const jh_counter *counter = &asked->jh_operation_u.counter;

	(void)problem;
	encoder_word(content, counter->number);
	encoder_hyper(content, (uint64_t)counter->change);
	return counter->number < COUNTERS;
}

/* Entries ahead may still come to nothing: they make a request wait, and refuse none. */
static enum operation_admission admit(const struct shop *shop, const struct body *body, const struct operation_ahead *ahead,
				      struct outcome *refusal)
{
	struct counter asked = counter_of(body), before;
	int64_t available = counters_of(shop)->values[asked.number], value = available;
	struct body entry;

	if (asked.number >= ADMITTED_BELOW)
		return OPERATION_ADMITTED;
	if (!add(&value, asked.change)) {
		refuse(available, refusal);
		return OPERATION_REFUSED_NOW;
	}
	while (ahead->next(ahead->context, &entry)) {
		if (entry.kind != JH_OPERATION_COUNTER)
			continue;
		before = counter_of(&entry);
		if (before.number == asked.number && before.change < 0 && !add(&value, before.change))
			return OPERATION_WAITS;
	}
	return OPERATION_ADMITTED;
}

static void answer(const struct shop *shop, uint64_t op, struct jh_operation_answer *to)
{
	const struct counters *counters = counters_of(shop);
	const struct changed *changed = (const void *)counters->changed.base;
	uint64_t entry = history_entry_of(counters->history, op);
	size_t low = 0, high = counters->changed.used / sizeof *changed;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (changed[middle].entry < entry)
			low = middle + 1;
		else
			high = middle;
	}
	must((const uint8_t *)&changed[low] < counters->changed.base + counters->changed.used);
	must(changed[low].entry == entry);
	to->kind = JH_OPERATION_COUNTER;
	to->jh_operation_answer_u.counter = (jh_counter_changed){.op = op, .value = changed[low].value};
}

static void explain(const struct outcome *refusal, char *text, size_t size)
{
	snprintf(text, size, "the counter stands at %" PRId64 ", and none falls below 0", refusal->values[0]);
}

static void show(const struct body *body, struct json_t *object)
{
	struct counter counter = counter_of(body);

	json_object_set_new(object, "number", json_integer(counter.number));
	json_object_set_new(object, "change", json_integer(counter.change));
}

const struct operation counter_operation = {
	.kind = JH_OPERATION_COUNTER,
	.first_format = 4,
	.name = "counter",
	.fold_new = fold_new,
	.fold_free = fold_free,
	.fold_memory = fold_memory,
	.is_canonical = is_canonical,
	.prefetch = prefetch,
	.apply = apply,
	.encode = encode,
	.admit = admit,
	.answer = answer,
	.explain = explain,
	.show = show,
};
