/* The state machine: the history, and what is folded from it: the client table (rule 11) and the shop. An operation is
 * appended and applied in one step. It does no I/O, reads no clock, and no single call takes long: indexes grow one
 * step per entry, memory is committed in chunks. An order takes at most 100 bytes in addition to its encoded ones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "rpc/base/uuid.h"
#include "server/machine/client_table.h"
#include "server/machine/history.h"
#include "server/machine/outcome.h"

struct machine;
struct shop;

#define MACHINE_LOADED_MAX 100000 /* records that a replica may be loaded with, in addition to --max-orders */

/* entries_max: adding beyond it fails; itself below 2^32 - 1. An empty history at op 0. */
struct machine *machine_new(uint64_t entries_max);
void machine_free(struct machine *machine); /* may take tens of milliseconds when it is large: not on an event loop */

/* Adds a record of the initial history (before any op). False and one line in error for a malformed body. */
bool machine_load(struct machine *machine, const void *body, size_t size, char *error, size_t error_size);

enum machine_applied {
	MACHINE_APPLIED,
	MACHINE_MALFORMED, /* not a canonical struct jh_body, or of a kind that its format does not have */
	MACHINE_FULL
};

/* Applies op history_op() + 1: whatever it asks for, it has an outcome then. For anything but MACHINE_APPLIED nothing has
 * changed. */
enum machine_applied machine_apply(struct machine *machine, const void *body, size_t size);

/* Appends whole records (from history_encode) to a machine under construction: the first `loaded` are loaded ones, the
 * others ops 1, 2, ... False with one line in error when bytes are not whole canonical records. */
bool machine_decode(struct machine *machine, uint64_t loaded, const void *bytes, size_t size, char *error,
		    size_t error_size);

uint64_t machine_op(const struct machine *machine); /* the highest applied one */
/* Borrowed for as long as the machine lives. Another thread may encode what had been applied before it was started. */
const struct history *machine_history(const struct machine *machine);
const struct shop *machine_shop(const struct machine *machine);

/* What op became. */
struct outcome machine_outcome(const struct machine *machine, uint64_t op);
/* Of the entry that was added last, loaded or applied; with its values also when it was done. */
struct outcome machine_last_outcome(const struct machine *machine);
/* The digest of everything that is folded: of all outcomes, with what they changed. Equal histories must have equal ones. */
struct digest machine_fold(const struct machine *machine);
/* As it was at op. False: that is too long ago, or yet to come. */
bool machine_fold_at(const struct machine *machine, uint64_t op, struct digest *fold);

bool machine_same_loaded(const struct machine *left, const struct machine *right); /* loaded with the same records? */
uint64_t machine_memory(const struct machine *machine); /* bytes in use: the encoded state and indexes */
int64_t machine_last_time_us(const struct machine *machine); /* times never fall from op to op */
/* The first op that is dated later than this; 0: none. */
uint64_t machine_dated_after(const struct machine *machine, int64_t time_us);
/* Looks (client, request) up (rule 11). */
enum client_known machine_lookup(const struct machine *machine, struct uuid client, uint64_t request,
				 struct digest content, uint64_t *op);
