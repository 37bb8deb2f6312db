#include "server/machine/machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/machine/operation.h"

#define FOLDS 4096 /* more than are between a member and its primary */

struct machine {
	uint32_t entries_max;
	int64_t last_time_us;
	struct history *history;
	struct client_table *clients;
	struct outcomes *outcomes;
	struct outcome last_outcome;
	struct digest fold;
	struct digest folds[FOLDS]; /* of the last ops: a ring by op */
	struct shop *shop;
};

struct machine *machine_new(uint64_t entries_max)
{
	struct machine *machine = calloc(1, sizeof *machine);

	must_allocate(machine);
	must(entries_max < UINT32_MAX);
	machine->entries_max = (uint32_t)entries_max;
	machine->history = history_new(machine->entries_max);
	machine->clients = client_table_new(machine->history, machine->entries_max);
	machine->outcomes = outcomes_new(machine->entries_max);
	machine->shop = shop_new(machine->history, machine->entries_max);
	return machine;
}

void machine_free(struct machine *machine)
{
	if (machine == NULL)
		return;
	shop_free(machine->shop);
	outcomes_free(machine->outcomes);
	client_table_free(machine->clients);
	history_free(machine->history);
	free(machine);
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

/* An entry was appended to the history: decides its outcome, and updates everything that is folded from it. `decides`: nothing was
 * decided under its number before. */
static void fold(struct machine *machine, const struct operation *operation, const struct body *body, bool decides)
{
	uint32_t entry = (uint32_t)history_count(machine->history) - 1;
	struct outcome outcome = {.result = decides ? OUTCOME_APPLIED : OUTCOME_PASSED};

	if (decides && body->forgotten)
		outcome = body->outcome;
	else if (decides)
		operation->apply(machine->shop, entry, body, &outcome);
	outcomes_add(machine->outcomes, entry, &outcome);
	machine->last_outcome = outcome;
	machine->fold = outcome_chain(machine->fold, &outcome);
	machine->folds[history_op(machine->history) % FOLDS] = machine->fold;
	if (body->time_us > machine->last_time_us)
		machine->last_time_us = body->time_us;
}

static bool is_full(const struct machine *machine)
{
	return history_count(machine->history) == machine->entries_max;
}

enum machine_applied machine_apply(struct machine *machine, const void *bytes, size_t size)
{
	struct body body;
	struct client_place place;
	struct history_next next;
	const struct operation *operation;
	bool decides;

	if (!body_parse(bytes, size, &body))
		return MACHINE_MALFORMED;
	/* A client's place is rarely in the processor's cache: it comes while content and digest are worked out. */
	place = client_table_place(machine->clients, body.client);
	operation = operation_of(&body);
	if (operation == NULL)
		return MACHINE_MALFORMED;
	if (is_full(machine))
		return MACHINE_FULL;
	operation->prefetch(machine->shop, &body);
	next = history_next(machine->history, bytes, size);
	decides = client_table_has_room(machine->clients, &place, body.request); /* RULE 11: once more */
	history_append(machine->history, &next);
	if (decides)
		client_table_add(machine->clients, &place, (uint32_t)history_count(machine->history) - 1);
	fold(machine, operation, &body, decides);
	return MACHINE_APPLIED;
}

static enum machine_applied load(struct machine *machine, const void *bytes, size_t size)
{
	struct body body;
	const struct operation *operation = operation_parse(bytes, size, &body);

	if (operation == NULL)
		return MACHINE_MALFORMED;
	if (is_full(machine))
		return MACHINE_FULL;
	history_load(machine->history, bytes, size);
	fold(machine, operation, &body, true);
	return MACHINE_APPLIED;
}

static const char *problem_text(enum machine_applied applied)
{
	switch (applied) {
	case MACHINE_MALFORMED:
		return "not a well-formed operation";
	case MACHINE_FULL:
		return "more orders than --max-orders allows";
	case MACHINE_APPLIED:
		break;
	}
	return "no problem";
}

bool machine_load(struct machine *machine, const void *body, size_t size, char *error, size_t error_size)
{
	enum machine_applied applied = load(machine, body, size);

	if (applied != MACHINE_APPLIED)
		snprintf(error, error_size, "initial order %llu: %s",
			 (unsigned long long)history_count(machine->history) + 1, problem_text(applied));
	return applied == MACHINE_APPLIED;
}

static bool has_other_loaded(const struct history *history, uint64_t loaded)
{
	return history_loaded(history) > loaded || (history_op(history) > 0 && history_loaded(history) != loaded);
}

/* NULL, or what is wrong. */
static const char *decode_one(struct machine *machine, uint64_t loaded, struct decoder *decoder)
{
	enum machine_applied applied;
	uint32_t size;

	if (!decoder_word(decoder, &size) || size > decoder->left)
		return "cut off within an entry";
	applied = history_loaded(machine->history) < loaded ? load(machine, decoder->at, size) :
							       machine_apply(machine, decoder->at, size);
	decoder->at += size;
	decoder->left -= size;
	return applied == MACHINE_APPLIED ? NULL : problem_text(applied);
}

bool machine_decode(struct machine *machine, uint64_t loaded, const void *bytes, size_t size, char *error,
		    size_t error_size)
{
	struct decoder decoder = {.at = bytes, .left = size};
	const char *problem = NULL;

	if (has_other_loaded(machine->history, loaded))
		problem = "another number of initial orders than before";
	while (problem == NULL && decoder.left > 0)
		problem = decode_one(machine, loaded, &decoder);
	if (problem != NULL)
		snprintf(error, error_size, "encoded history, entry %llu: %s",
			 (unsigned long long)history_count(machine->history) + 1, problem);
	return problem == NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

uint64_t machine_op(const struct machine *machine)
{
	return history_op(machine->history);
}

const struct history *machine_history(const struct machine *machine)
{
	return machine->history;
}

const struct shop *machine_shop(const struct machine *machine)
{
	return machine->shop;
}

struct outcome machine_outcome(const struct machine *machine, uint64_t op)
{
	must(op > 0 && op <= history_op(machine->history));
	return outcomes_of(machine->outcomes, (uint32_t)history_entry_of(machine->history, op));
}

struct outcome machine_last_outcome(const struct machine *machine)
{
	return machine->last_outcome;
}

struct digest machine_fold(const struct machine *machine)
{
	return machine->fold;
}

bool machine_fold_at(const struct machine *machine, uint64_t op, struct digest *fold)
{
	uint64_t last = history_op(machine->history);

	if (op > last || last - op >= FOLDS)
		return false;
	*fold = machine->folds[op % FOLDS];
	return true;
}

bool machine_same_loaded(const struct machine *left, const struct machine *right)
{
	return history_loaded(left->history) == history_loaded(right->history) &&
	       digest_equal(history_loaded_digest(left->history), history_loaded_digest(right->history));
}

uint64_t machine_memory(const struct machine *machine)
{
	return sizeof *machine + history_memory(machine->history) + client_table_memory(machine->clients) +
	       outcomes_memory(machine->outcomes) +
	       shop_memory(machine->shop);
}

int64_t machine_last_time_us(const struct machine *machine)
{
	return machine->last_time_us;
}

static int64_t time_of(const struct machine *machine, uint64_t op)
{
	size_t size;

	return body_time_us(history_body(machine->history, history_entry_of(machine->history, op), &size));
}

uint64_t machine_dated_after(const struct machine *machine, int64_t time_us)
{
	uint64_t low = 1, high = history_op(machine->history);

	if (machine->last_time_us <= time_us)
		return 0;
	/* The newest may be one of the records loaded at the start, and there may be no other. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (time_of(machine, middle) > time_us)
			high = middle;
		else
			low = middle + 1;
	}
	return low == high && time_of(machine, low) > time_us ? low : 0;
}

enum client_known machine_lookup(const struct machine *machine, struct uuid client, uint64_t request,
				 struct digest content, uint64_t *op)
{
	return client_table_lookup(machine->clients, client, request, content, op);
}
