/* What the simulated clients ask for, and what becomes of it at a replica: server/machine with kinds of operation of its own,
 * an order, a take from a counter that is low, a restock of it; and VOID, which is the daemons' own. Everything about an
 * operation follows from its content, one number.
 *
 * It names nothing of server/machine to the rest of the simulator: that has words of its own for some of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/replica/replica.h"

#define OPERATION_BYTES 256 /* of a body, at most */
#define COUNTERS 3
#define CONTENT_VOID UINT64_MAX
#define CONTENT_OTHER 16 /* added to a content: another one, that the validation thinks the same of */

enum wanted {
	WANTED_ORDER,
	WANTED_TAKE,    /* one unit; not admitted when there is none, and waits while the log may take the last */
	WANTED_GRAB,    /* the same without being admitted: whether there is one shows when it is applied */
	WANTED_RESTOCK, /* one or two units */
	WANTED_VOID
};

enum wanted wanted_kind(uint64_t content);
uint32_t wanted_counter(uint64_t content); /* of a take, a grab or a restock */
int64_t wanted_units(uint64_t content);    /* what it adds to the counter, if it is done */
bool wanted_is_declined(uint64_t content); /* the validation does not accept it */

/* The body of that number: it is where the time of an operation stands, which the primary assigns and no replica compares. Returns its
 * size. */
uint32_t operation_bytes(uint32_t number, struct uuid client, uint64_t request, uint64_t content,
			 uint8_t bytes[static OPERATION_BYTES]);
uint32_t operation_number(const uint8_t *bytes);
/* What a repeat must be equal in. */
struct digest operation_content(uint64_t content);

/* --- the state of one replica ------------------------------------------------------------------------------------- */

struct machine;

enum became { BECAME_DONE, BECAME_REFUSED, BECAME_VOID, BECAME_PASSED };

struct machine *state_new(void);
void state_free(struct machine *machine);
void state_apply(struct machine *machine, const uint8_t *bytes, uint32_t size);
enum became state_became(const struct machine *machine, uint64_t op);
int64_t state_counter(const struct machine *machine, uint32_t counter);
struct digest state_fold(const struct machine *machine); /* of all outcomes */

/* The questions of struct replica_service. */
enum replica_known state_lookup(struct machine *machine, struct uuid client, uint64_t request, struct digest content,
				uint64_t *op);
bool state_fold_at(const struct machine *machine, uint64_t op, struct digest *fold);
bool state_key(const uint8_t *body, uint32_t size, struct uuid *client, uint64_t *request, struct digest *content);
/* core: the log that is ahead of the state. */
enum replica_admission state_admit(const struct machine *machine, const struct replica *core, uint64_t content);
