#include "tests/sim/operations.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/base/format.h"
#include "rpc/base/must.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"
#include "server/shop/machine_service.h"
#include "server/shop/shop.h"
#include "server/shop/void.h"

#define KIND_ORDER 101u /* no kind of the daemons' */
#define KIND_COUNTER 102u
#define REASON_NONE_LEFT 1u
#define ENTRIES_MAX 30000u /* more than a run has operations */
#define CONTENT_BYTES 8u

/* --- what is asked for -------------------------------------------------------------------------------------------- */

enum wanted wanted_kind(uint64_t content)
{
	static const enum wanted kinds[] = {WANTED_ORDER, WANTED_ORDER, WANTED_ORDER, WANTED_TAKE,
					    WANTED_TAKE, WANTED_TAKE, WANTED_GRAB, WANTED_RESTOCK};

	return content == CONTENT_VOID ? WANTED_VOID : kinds[content / 16 % 8];
}

uint32_t wanted_counter(uint64_t content)
{
	return (uint32_t)(content / 128 % COUNTERS);
}

int64_t wanted_units(uint64_t content)
{
	return wanted_kind(content) == WANTED_RESTOCK ? 1 + (int64_t)(content / 1024 % 2) : -1;
}

bool wanted_is_declined(uint64_t content)
{
	return content != CONTENT_VOID && content % 16 == 0;
}

static uint32_t kind_of(uint64_t content)
{
	switch (wanted_kind(content)) {
	case WANTED_ORDER:
		return KIND_ORDER;
	case WANTED_VOID:
		return void_operation.kind;
	case WANTED_TAKE:
	case WANTED_GRAB:
	case WANTED_RESTOCK:
		break;
	}
	return KIND_COUNTER;
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

uint32_t operation_bytes(uint32_t number, struct uuid client, uint64_t request, uint64_t content,
			 uint8_t bytes[static OPERATION_BYTES])
{
	const struct body body = {.format = FORMAT_HIGH, .client = client, .request = request, .time_us = number,
				  .kind = kind_of(content)};
	struct encoder encoder = {.at = bytes, .left = OPERATION_BYTES};

	body_encode_head(&body, &encoder);
	if (content != CONTENT_VOID) {
		encoder_hyper(&encoder, content);
		for (uint64_t words = content % 47; words > 0; words--)
			encoder_word(&encoder, (uint32_t)(content + words));
	}
	must(!encoder.failed);
	return (uint32_t)(OPERATION_BYTES - encoder.left);
}

uint32_t operation_number(const uint8_t *bytes)
{
	return (uint32_t)body_time_us(bytes);
}

struct digest operation_content(uint64_t content)
{
	uint8_t bytes[OPERATION_BYTES];
	struct digest digest;
	uint32_t size = operation_bytes(0, (struct uuid){{0}}, 0, content, bytes);

	must(operation_key(bytes, size, NULL, NULL, &digest, NULL));
	return digest;
}

/* --- the kinds ---------------------------------------------------------------------------------------------------- */

static void *counters_new(const struct history *history, uint32_t entries_max)
{
	int64_t *counters = calloc(COUNTERS, sizeof *counters);

	(void)history;
	(void)entries_max;
	must(counters != NULL);
	return counters;
}

static uint64_t counters_memory(const void *counters)
{
	(void)counters;
	return COUNTERS * sizeof(int64_t);
}

static int64_t *counters_of(const struct shop *shop)
{
	return shop_fold(shop, operation_of_kind(KIND_COUNTER));
}

static bool is_canonical(const void *content, size_t size)
{
	(void)content;
	return size >= CONTENT_BYTES;
}

static void prefetch(const struct shop *shop, const struct body *body)
{
	(void)shop;
	(void)body;
}

static void apply_order(struct shop *shop, uint32_t entry, const struct body *body, struct outcome *outcome)
{
	(void)shop;
	(void)entry;
	(void)body;
	(void)outcome;
}

/* A counter never falls below 0. */
static void apply_counter(struct shop *shop, uint32_t entry, const struct body *body, struct outcome *outcome)
{
	uint64_t content = decode_hyper(body->content);
	int64_t *counter = &counters_of(shop)[wanted_counter(content)];

	(void)entry;
	if (*counter + wanted_units(content) < 0) {
		outcome->result = OUTCOME_REFUSAL;
		outcome->reason = REASON_NONE_LEFT;
	} else {
		*counter += wanted_units(content);
	}
	outcome_value(outcome, *counter);
}

/* What the log may yet take from the counter. */
static int64_t taken_ahead(const struct operation_ahead *ahead, uint32_t counter)
{
	struct body body;
	int64_t taken = 0;

	while (ahead->next(ahead->context, &body)) {
		uint64_t content = body.kind == KIND_COUNTER ? decode_hyper(body.content) : CONTENT_VOID;

		if (content != CONTENT_VOID && wanted_counter(content) == counter && wanted_units(content) < 0)
			taken++;
	}
	return taken;
}

static enum operation_admission admit_counter(const struct shop *shop, const struct body *body,
					      const struct operation_ahead *ahead, struct outcome *refusal)
{
	uint64_t content = decode_hyper(body->content);
	uint32_t counter = wanted_counter(content);

	if (wanted_kind(content) != WANTED_TAKE)
		return OPERATION_ADMITTED;
	if (counters_of(shop)[counter] == 0) {
		refusal->reason = REASON_NONE_LEFT;
		return OPERATION_REFUSED_NOW;
	}
	return counters_of(shop)[counter] > taken_ahead(ahead, counter) ? OPERATION_ADMITTED : OPERATION_WAITS;
}

static const struct operation order = {.kind = KIND_ORDER, .first_format = 3, .name = "order",
				       .is_canonical = is_canonical, .prefetch = prefetch, .apply = apply_order};
static const struct operation counter = {.kind = KIND_COUNTER, .first_format = 3, .name = "counter",
					 .fold_new = counters_new, .fold_free = free, .fold_memory = counters_memory,
					 .is_canonical = is_canonical, .prefetch = prefetch, .apply = apply_counter,
					 .admit = admit_counter};

const struct operation *const operation_table[] = {&order, &counter, &void_operation};
const uint32_t operation_table_size = sizeof operation_table / sizeof operation_table[0];

/* --- the state of one replica ------------------------------------------------------------------------------------- */

struct machine *state_new(void)
{
	return machine_new(ENTRIES_MAX);
}

void state_free(struct machine *machine)
{
	machine_free(machine);
}

void state_apply(struct machine *machine, const uint8_t *bytes, uint32_t size)
{
	must(machine_apply(machine, bytes, size) == MACHINE_APPLIED);
}

enum became state_became(const struct machine *machine, uint64_t op)
{
	switch (machine_outcome(machine, op).result) {
	case OUTCOME_APPLIED:
		return BECAME_DONE;
	case OUTCOME_REFUSAL:
		return BECAME_REFUSED;
	case OUTCOME_NOTHING:
		return BECAME_VOID;
	case OUTCOME_PASSED:
		break;
	}
	return BECAME_PASSED;
}

int64_t state_counter(const struct machine *machine, uint32_t counter_number)
{
	must(counter_number < COUNTERS);
	return counters_of(machine_shop(machine))[counter_number];
}

struct digest state_fold(const struct machine *machine)
{
	return machine_fold(machine);
}

enum replica_known state_lookup(struct machine *machine, struct uuid client, uint64_t request, struct digest content,
				uint64_t *op)
{
	struct replica_service service = machine_service(&machine);

	return service.lookup(service.context, client, request, content, op);
}

bool state_fold_at(const struct machine *machine, uint64_t op, struct digest *fold)
{
	return machine_fold_at(machine, op, fold);
}

bool state_key(const uint8_t *body, uint32_t size, struct uuid *client, uint64_t *request, struct digest *content)
{
	return operation_key(body, size, client, request, content, NULL);
}

/* As server/requests.c. */
struct ahead {
	const struct replica *core;
	uint64_t op;
};

static bool next_ahead(void *context, struct body *body)
{
	struct ahead *ahead = context;
	struct replica_entry entry;

	if (ahead->op == replica_last_op(ahead->core))
		return false;
	entry = replica_entry_at(ahead->core, ++ahead->op);
	must(body_parse(entry.body, entry.size, body));
	return true;
}

enum replica_admission state_admit(const struct machine *machine, const struct replica *core, uint64_t content)
{
	const struct operation *operation = operation_of_kind(kind_of(content));
	struct ahead log = {.core = core, .op = machine_op(machine)};
	const struct operation_ahead ahead = {.context = &log, .next = next_ahead};
	struct outcome refusal = {.result = OUTCOME_REFUSAL};
	uint8_t bytes[OPERATION_BYTES];
	uint32_t size = operation_bytes(0, (struct uuid){{0}}, 0, content, bytes);
	struct body body;

	must(body_parse(bytes, size, &body));
	if (operation->admit == NULL)
		return ADMISSION_GIVEN;
	switch (operation->admit(machine_shop(machine), &body, &ahead, &refusal)) {
	case OPERATION_ADMITTED:
		return ADMISSION_GIVEN;
	case OPERATION_REFUSED_NOW:
		return ADMISSION_REFUSED;
	case OPERATION_WAITS:
		return ADMISSION_WAITS;
	}
	must_not_reach("an admission");
}
