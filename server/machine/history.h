/* The replicated state: the sequence of operation bodies, one for each committed op, preceded by the records that the
 * replica was loaded with. Append-only: entry i never changes, so the state "as of op c" is its first entries, and it
 * can be read, encoded and sent while newer ones are appended. It knows bytes and their digest, but no operation. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rpc/base/digest.h"

struct history;

/* The longest body: so much address space an entry is reserved. Each kind of operation asserts that its bodies fit. */
#define HISTORY_BODY_BYTES 4800

/* entries_max: appending more is a bug of the caller. */
struct history *history_new(uint32_t entries_max);
void history_free(struct history *history); /* may take tens of milliseconds when it is large: not on an event loop */

/* A loaded record, before any op. */
void history_load(struct history *history, const void *body, size_t size);
/* The body of op history_op() + 1, borrowed, and the digest that the history has with it. */
struct history_next {
	const void *body;
	size_t size;
	uint64_t entry;
	struct digest digest;
};

struct history_next history_next(const struct history *history, const void *body, size_t size);
/* Nothing else may have been appended since history_next. */
void history_append(struct history *history, const struct history_next *next);

uint64_t history_op(const struct history *history);      /* the last */
uint64_t history_count(const struct history *history);   /* of entries, including loaded ones */
uint64_t history_loaded(const struct history *history);  /* of loaded ones */
struct digest history_digest(const struct history *history); /* digest_chain over every body, loaded ones first */
struct digest history_loaded_digest(const struct history *history); /* after the last loaded one */
uint64_t history_bytes(const struct history *history);   /* of the whole encoded state: see history_encode */
uint64_t history_memory(const struct history *history);  /* bytes in use */

/* Entries are counted from 0. */
uint64_t history_op_of(const struct history *history, uint64_t entry); /* 0: loaded */
uint64_t history_entry_of(const struct history *history, uint64_t op);
/* Borrowed for as long as the history lives. */
const uint8_t *history_body(const struct history *history, uint64_t entry, size_t *size);

/* --- as bytes: what a full push and a snapshot carry ------------------------------------------------------------------
 * A record for each entry, in order: 4 bytes big-endian size, the body (XDR opaque<>; the size of a body is a multiple of
 * 4, so nothing is padded). machine_decode is the way back. */

/* Writes the records of entries first, first + 1, ... while they fit in `size` bytes and belong to ops <= through_op.
 * Returns the bytes written and sets *next to the first entry not written. Another thread may call it while this one
 * appends, as long as through_op was appended before. */
size_t history_encode(const struct history *history, uint64_t first, uint64_t through_op, uint64_t *next, void *out,
		      size_t size);
