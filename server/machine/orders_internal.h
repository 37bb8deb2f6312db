/* What the files of the order history share, and nobody else: orders.c adds and answers, orders_index.c finds, and
 * orders_bytes.c makes bytes of it and back. */
#pragma once

#include <endian.h>
#include <stdatomic.h>
#include <string.h>

#include "rpc/base/must.h"
#include "server/machine/arena.h"
#include "server/machine/body.h"
#include "server/machine/linear_hash.h"
#include "server/machine/orders.h"

#define NO_ORDER UINT32_MAX
#define PREFIX_BYTES 4

/* The orders of one postcode, or of one client, form a chain from the newest back. jump skips a part of it, so that any
 * depth is found in a logarithmic number of steps (E. W. Myers, "An applicative random-access stack", IPL 17, 1983). */
enum chain { CHAIN_POSTCODE, CHAIN_CLIENT, CHAINS };

struct link {
	uint32_t depth; /* orders in the chain up to here, this one included; in the postcode's chain its `number` */
	uint32_t previous;
	uint32_t jump;
};

/* Written once, before the order is published by `count`, and never changed. */
struct record {
	uint64_t position; /* in `texts`: 4 bytes of size, then the body */
	struct link links[CHAINS];
};

_Static_assert(sizeof(struct record) == 32, "two records a cache line");

/* All but the atomic counters and what lies below them in the arenas belongs to the thread that applies. Another
 * thread that has seen `count` (acquire) may read that many records, and their bytes (orders_encode). */
struct orders {
	uint32_t orders_max;
	uint32_t initial_count;
	_Atomic uint64_t count;
	_Atomic uint64_t bytes;
	int64_t last_time_us;
	struct digest digest;
	struct digest initial_digest; /* as it was behind the last loaded order */
	/* Drawn anew for each history: who picks client ids cannot know which of them fall into one bucket. */
	uint64_t hash_seed;
	struct arena records;
	struct arena texts;
	struct linear_hash newest[CHAINS]; /* postcode -> its newest order, client -> its newest order */
};

/* --- what is stored ----------------------------------------------------------------------------------------------- */

static inline const struct record *orders_record_at(const struct orders *orders, uint64_t index)
{
	return (const struct record *)(const void *)orders->records.base + index;
}

static inline const uint8_t *orders_body_at(const struct orders *orders, uint64_t index, size_t *size)
{
	const uint8_t *at = orders->texts.base + orders_record_at(orders, index)->position;
	uint32_t prefix;

	memcpy(&prefix, at, sizeof prefix);
	*size = be32toh(prefix);
	return at + PREFIX_BYTES;
}

static inline void orders_read_body(const struct orders *orders, uint64_t index, struct body *body)
{
	size_t size;
	const uint8_t *bytes = orders_body_at(orders, index, &size);

	must(body_parse(bytes, size, body));
}

static inline uint64_t orders_request_at(const struct orders *orders, uint64_t index)
{
	size_t size;
	uint64_t request;

	memcpy(&request, orders_body_at(orders, index, &size) + BODY_REQUEST_OFFSET, sizeof request);
	return be64toh(request);
}

/* --- orders_index.c ----------------------------------------------------------------------------------------------- */

static inline struct link orders_link_at(const struct orders *orders, enum chain chain, uint32_t index)
{
	return index == NO_ORDER ? (struct link){0, NO_ORDER, NO_ORDER} : orders_record_at(orders, index)->links[chain];
}

/* The link of an order that follows `newest`. */
struct link orders_link_after(const struct orders *orders, enum chain chain, uint32_t newest);
/* The order at this depth of a chain, which its newest order reaches. */
uint32_t orders_chain_find(const struct orders *orders, enum chain chain, uint32_t newest, uint32_t depth);
/* The order of this client's chain with this request, or NO_ORDER. Requests rise along a chain (rule 11). */
uint32_t orders_request_find(const struct orders *orders, uint32_t index, uint64_t request);

uint32_t orders_hash_of(const struct orders *orders, const void *key, size_t size);
/* Where the index keeps the newest order of this client or postcode; NULL when there is none. */
uint32_t *orders_newest_find(const struct orders *orders, enum chain chain, uint32_t hash, const void *bytes,
			     size_t size);
/* `place` is what orders_newest_find returned for this hash. */
void orders_newest_set(struct orders *orders, enum chain chain, uint32_t hash, uint32_t *place, uint32_t index);
/* NO_ORDER when there is none. */
uint32_t orders_postcode_newest(const struct orders *orders, const char *postcode, size_t size);

/* --- orders.c ----------------------------------------------------------------------------------------------------- */

/* An order that was loaded at the start: before any op. */
enum orders_applied orders_add_initial(struct orders *orders, const void *body, size_t size);
const char *orders_problem_text(enum orders_applied applied);
