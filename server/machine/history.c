#include "server/machine/history.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/machine/arena.h"
#include "server/machine/encoding.h"

#define PREFIX_BYTES 4

/* Where the entries of a block begin is kept relative to its first one, in words of 4 bytes: half the memory, and the longest
 * bodies of a whole block fit. */
#define BLOCK_ENTRIES (1u << 16)

_Static_assert((uint64_t)BLOCK_ENTRIES * (PREFIX_BYTES + HISTORY_BODY_BYTES) / 4 <= UINT32_MAX, "a block's words fit");

/* Everything but the atomic counters and the published data in the arenas belongs to the thread that appends. Another
 * thread that has seen `count` (acquire) may read that many positions, and their bytes. */
struct history {
	uint32_t entries_max;
	uint32_t loaded;
	_Atomic uint64_t count;
	_Atomic uint64_t bytes;
	struct digest digest;
	struct digest loaded_digest;
	struct arena blocks;    /* uint64_t each: where in `records` the first entry of a block begins */
	struct arena positions; /* uint32_t each: words from there to the entry's record */
	struct arena records;   /* 4 bytes of size, then the body */
};

struct history *history_new(uint32_t entries_max)
{
	struct history *history = calloc(1, sizeof *history);

	must_allocate(history);
	history->entries_max = entries_max;
	arena_reserve(&history->blocks, ((size_t)entries_max / BLOCK_ENTRIES + 1) * sizeof(uint64_t));
	arena_reserve(&history->positions, ((size_t)entries_max + 1) * sizeof(uint32_t));
	arena_reserve(&history->records, ((size_t)entries_max + 1) * (PREFIX_BYTES + HISTORY_BODY_BYTES));
	return history;
}

void history_free(struct history *history)
{
	if (history == NULL)
		return;
	arena_release(&history->blocks);
	arena_release(&history->positions);
	arena_release(&history->records);
	free(history);
}

struct history_next history_next(const struct history *history, const void *body, size_t size)
{
	return (struct history_next){.body = body, .size = size,
				     .entry = atomic_load_explicit(&history->count, memory_order_relaxed),
				     .digest = digest_chain(history->digest, body, size)};
}

static uint64_t block_begin(const struct history *history, uint64_t entry)
{
	return ((const uint64_t *)(const void *)history->blocks.base)[entry / BLOCK_ENTRIES];
}

static void add_position(struct history *history, uint64_t entry)
{
	uint64_t begin = history->records.used;

	if (entry % BLOCK_ENTRIES == 0)
		*(uint64_t *)arena_take(&history->blocks, sizeof(uint64_t)) = begin;
	*(uint32_t *)arena_take(&history->positions, sizeof(uint32_t)) =
		(uint32_t)((begin - block_begin(history, entry)) / 4);
}

void history_append(struct history *history, const struct history_next *next)
{
	uint64_t count = atomic_load_explicit(&history->count, memory_order_relaxed);

	must(next->entry == count); /* or the digest is of another history */
	must(count < history->entries_max);
	must(next->size <= HISTORY_BODY_BYTES);
	must(next->size % 4 == 0); /* so that XDR's opaque<> needs no padding after it */

	uint8_t *at;

	add_position(history, count);
	at = arena_take(&history->records, PREFIX_BYTES + next->size);
	encode_word(at, (uint32_t)next->size);
	memcpy(at + PREFIX_BYTES, next->body, next->size);
	history->digest = next->digest;
	atomic_store_explicit(&history->bytes, history->records.used, memory_order_relaxed);
	/* Release: a thread that sees the new count sees the position and the bytes written above. */
	atomic_store_explicit(&history->count, count + 1, memory_order_release);
}

void history_load(struct history *history, const void *body, size_t size)
{
	struct history_next next = history_next(history, body, size);

	must(history_op(history) == 0);
	history_append(history, &next);
	history->loaded++;
	history->loaded_digest = history->digest;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

uint64_t history_count(const struct history *history)
{
	return atomic_load_explicit(&history->count, memory_order_acquire);
}

uint64_t history_loaded(const struct history *history)
{
	return history->loaded;
}

uint64_t history_op(const struct history *history)
{
	return history_count(history) - history->loaded;
}

struct digest history_digest(const struct history *history)
{
	return history->digest;
}

struct digest history_loaded_digest(const struct history *history)
{
	return history->loaded_digest;
}

uint64_t history_bytes(const struct history *history)
{
	return atomic_load_explicit(&history->bytes, memory_order_relaxed);
}

uint64_t history_memory(const struct history *history)
{
	return sizeof *history + history->blocks.used + history->positions.used + history->records.used;
}

uint64_t history_op_of(const struct history *history, uint64_t entry)
{
	return entry < history->loaded ? 0 : entry - history->loaded + 1;
}

uint64_t history_entry_of(const struct history *history, uint64_t op)
{
	must(op > 0);
	return history->loaded + op - 1;
}

static uint64_t position_of(const struct history *history, uint64_t entry)
{
	return block_begin(history, entry) + 4ull * ((const uint32_t *)(const void *)history->positions.base)[entry];
}

const uint8_t *history_body(const struct history *history, uint64_t entry, size_t *size)
{
	const uint8_t *at = history->records.base + position_of(history, entry);

	*size = decode_word(at);
	return at + PREFIX_BYTES;
}

/* --- as bytes ----------------------------------------------------------------------------------------------------- */

/* Where the record of an entry begins; for the entry after the last of `count`: where the records end. */
static uint64_t begin_of(const struct history *history, uint64_t entry, uint64_t count)
{
	if (entry < count)
		return position_of(history, entry);
	if (count == 0)
		return 0;

	size_t size;

	history_body(history, count - 1, &size);
	return position_of(history, count - 1) + PREFIX_BYTES + size;
}

size_t history_encode(const struct history *history, uint64_t first, uint64_t through_op, uint64_t *next, void *out,
		      size_t size)
{
	uint64_t count = history->loaded + through_op;

	must(count <= history_count(history));
	must(first <= count);

	/* Records are kept in the form in which they are sent, contiguously: find how many fit, and copy once. */
	uint64_t begin = begin_of(history, first, count);
	uint64_t low = first, high = count;

	while (low < high) {
		uint64_t middle = high - (high - low) / 2;

		if (begin_of(history, middle, count) - begin <= size)
			low = middle;
		else
			high = middle - 1;
	}

	size_t written = begin_of(history, low, count) - begin;

	memcpy(out, history->records.base + begin, written);
	*next = low;
	return written;
}
