/* struct jh_disk_batch of rpc/disk.x, read and written by hand: the same bytes that rpcgen's functions make (a test
 * compares them), without a copy or an allocation per entry, because a start reads a million of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/digest.h"

#define STATE_BYTES 36 /* an encoded STATE record; its last 8 bytes are last_op */

/* Entries base_op + 1, ..., base_op + entries_count. */
struct journal_batch {
	uint64_t base_op;
	struct digest base_digest; /* chain digest at base_op */
	uint64_t durable_op;       /* the last op known durable when this was written */
	uint64_t commit;           /* commit point when this was written */
	uint32_t entries_count;
	bool staged;               /* kind STAGED instead of BATCH: has no effect before its STATE record */
	const uint8_t *next;       /* belongs to the iterator; the writer does not use it */
	const uint8_t *end;
};

struct journal_entry {
	uint64_t view;    /* in which the entry was appended */
	const void *body; /* encoded struct jh_body */
	uint32_t size;    /* at most LIMIT_BODY_BYTES */
};

/* The bytes of the encoded union jh_disk_record. */
size_t journal_batch_size(const struct journal_entry *entries, uint32_t entries_count);

/* Writes exactly journal_batch_size bytes. */
void journal_batch_encode(const struct journal_batch *batch, const struct journal_entry *entries,
			  uint32_t entries_count, void *out);

/* Reads the head, and sets the iterator to the first entry. False when payload is not one complete canonical BATCH or
 * STAGED. */
bool journal_batch_decode(const void *payload, size_t size, struct journal_batch *batch);

/* The next entry, borrowed from the payload; false at the end. */
bool journal_batch_next(struct journal_batch *batch, struct journal_entry *entry);
