#include "server/machine/orders.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/machine/arena.h"
#include "server/machine/body.h"
#include "server/machine/linear_hash.h"

#define NO_ORDER UINT32_MAX
#define PREFIX_BYTES 4
/* The largest canonical body: the fixed part, then each text at its limit. */
#define BODY_BYTES_MAX (48 + LIMIT_CUSTOMER_BYTES + LIMIT_POSTCODE_BYTES + 4 + LIMIT_ITEMS * (4 + LIMIT_ITEM_BYTES))

_Static_assert(BODY_BYTES_MAX <= LIMIT_BODY_BYTES, "every canonical body fits");

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

struct orders *orders_new(uint64_t orders_max)
{
	struct orders *orders = calloc(1, sizeof *orders);
	struct uuid seed = uuid_draw();

	must_allocate(orders);
	must(orders_max < NO_ORDER);
	orders->orders_max = (uint32_t)orders_max;
	memcpy(&orders->hash_seed, seed.bytes, sizeof orders->hash_seed);
	arena_reserve(&orders->records, (orders_max + 1) * sizeof(struct record));
	arena_reserve(&orders->texts, (orders_max + 1) * (PREFIX_BYTES + BODY_BYTES_MAX));
	for (int chain = 0; chain < CHAINS; chain++)
		linear_hash_init(&orders->newest[chain], orders->orders_max);
	return orders;
}

void orders_free(struct orders *orders)
{
	if (orders == NULL)
		return;
	arena_release(&orders->records);
	arena_release(&orders->texts);
	for (int chain = 0; chain < CHAINS; chain++)
		linear_hash_release(&orders->newest[chain]);
	free(orders);
}

/* --- what is stored ----------------------------------------------------------------------------------------------- */

static const struct record *record_at(const struct orders *orders, uint64_t index)
{
	return (const struct record *)(const void *)orders->records.base + index;
}

static const uint8_t *body_at(const struct orders *orders, uint64_t index, size_t *size)
{
	const uint8_t *at = orders->texts.base + record_at(orders, index)->position;
	uint32_t prefix;

	memcpy(&prefix, at, sizeof prefix);
	*size = be32toh(prefix);
	return at + PREFIX_BYTES;
}

static void read_body(const struct orders *orders, uint64_t index, struct body *body)
{
	size_t size;
	const uint8_t *bytes = body_at(orders, index, &size);

	must(body_parse(bytes, size, body));
}

static uint64_t request_at(const struct orders *orders, uint64_t index)
{
	size_t size;
	uint64_t request;

	memcpy(&request, body_at(orders, index, &size) + BODY_REQUEST_OFFSET, sizeof request);
	return be64toh(request);
}

static uint64_t op_of(const struct orders *orders, uint64_t index)
{
	return index < orders->initial_count ? 0 : index - orders->initial_count + 1;
}

/* --- chains ------------------------------------------------------------------------------------------------------- */

static struct link link_at(const struct orders *orders, enum chain chain, uint32_t index)
{
	return index == NO_ORDER ? (struct link){0, NO_ORDER, NO_ORDER} : record_at(orders, index)->links[chain];
}

/* The link of an order that follows `newest`. */
static struct link link_after(const struct orders *orders, enum chain chain, uint32_t newest)
{
	struct link before = link_at(orders, chain, newest);
	struct link jump = link_at(orders, chain, before.jump);
	uint32_t span = before.depth - jump.depth;
	bool merge = newest != NO_ORDER && span == jump.depth - link_at(orders, chain, jump.jump).depth;

	return (struct link){.depth = before.depth + 1, .previous = newest, .jump = merge ? jump.jump : newest};
}

/* The order at this depth of a chain, which its newest order reaches. */
static uint32_t chain_find(const struct orders *orders, enum chain chain, uint32_t newest, uint32_t depth)
{
	struct link link = link_at(orders, chain, newest);

	must(depth >= 1 && depth <= link.depth);
	while (link.depth > depth) {
		struct link jump = link_at(orders, chain, link.jump);

		newest = jump.depth >= depth ? link.jump : link.previous;
		link = link_at(orders, chain, newest);
	}
	return newest;
}

/* The order of this client's chain with this request, or NO_ORDER. Requests rise along a chain (rule 11). */
static uint32_t request_find(const struct orders *orders, uint32_t index, uint64_t request)
{
	while (index != NO_ORDER && request_at(orders, index) > request) {
		struct link link = link_at(orders, CHAIN_CLIENT, index);

		index = link.jump != NO_ORDER && request_at(orders, link.jump) >= request ? link.jump : link.previous;
	}
	return index != NO_ORDER && request_at(orders, index) == request ? index : NO_ORDER;
}

/* --- indexes ------------------------------------------------------------------------------------------------------ */

static uint32_t hash_of(const struct orders *orders, const void *key, size_t size)
{
	return (uint32_t)XXH3_64bits_withSeed(key, size, orders->hash_seed);
}

struct key {
	const struct orders *orders;
	const void *bytes;
	size_t size;
};

static bool client_matches(const void *context, uint32_t index)
{
	const struct key *key = context;
	size_t size;

	return memcmp(body_at(key->orders, index, &size) + BODY_CLIENT_OFFSET, key->bytes, sizeof(struct uuid)) == 0;
}

static bool postcode_matches(const void *context, uint32_t index)
{
	const struct key *key = context;
	struct body body;

	read_body(key->orders, index, &body);
	return body.postcode.size == key->size && memcmp(body.postcode.bytes, key->bytes, key->size) == 0;
}

/* Where the index keeps the newest order of this client or postcode; NULL when there is none. */
static uint32_t *newest_find(const struct orders *orders, enum chain chain, uint32_t hash, const void *bytes,
			     size_t size)
{
	struct key key = {.orders = orders, .bytes = bytes, .size = size};

	return linear_hash_find(&orders->newest[chain], hash,
				chain == CHAIN_CLIENT ? client_matches : postcode_matches, &key);
}

/* `place` is what newest_find returned for this hash. */
static void newest_set(struct orders *orders, enum chain chain, uint32_t hash, uint32_t *place, uint32_t index)
{
	if (place != NULL)
		*place = index;
	else
		linear_hash_insert(&orders->newest[chain], hash, index);
}

static uint32_t postcode_newest(const struct orders *orders, const char *postcode, size_t size)
{
	uint32_t *place = newest_find(orders, CHAIN_POSTCODE, hash_of(orders, postcode, size), postcode, size);

	return place == NULL ? NO_ORDER : *place;
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

static uint64_t store_text(struct orders *orders, const void *body, size_t size)
{
	uint64_t position = orders->texts.used;
	uint8_t *at = arena_take(&orders->texts, PREFIX_BYTES + size);
	uint32_t prefix = htobe32((uint32_t)size);

	must(size % 4 == 0); /* so that XDR's opaque<> needs no padding behind it */
	memcpy(at, &prefix, sizeof prefix);
	memcpy(at + PREFIX_BYTES, body, size);
	return position;
}

/* Adds one order. initial: loaded at the start, and in no client's chain. */
static enum orders_applied add(struct orders *orders, const void *bytes, size_t size, bool initial)
{
	struct body body;

	if (!body_parse(bytes, size, &body))
		return ORDERS_MALFORMED;

	uint32_t index = (uint32_t)atomic_load_explicit(&orders->count, memory_order_relaxed);

	if (index == orders->orders_max)
		return ORDERS_FULL;

	uint32_t client_hash = hash_of(orders, &body.client, sizeof body.client);
	uint32_t postcode_hash = hash_of(orders, body.postcode.bytes, body.postcode.size);

	linear_hash_prefetch(&orders->newest[CHAIN_CLIENT], client_hash);
	linear_hash_prefetch(&orders->newest[CHAIN_POSTCODE], postcode_hash);

	struct digest digest = digest_chain(orders->digest, bytes, size);
	uint32_t *client = NULL;
	uint32_t *postcode =
		newest_find(orders, CHAIN_POSTCODE, postcode_hash, body.postcode.bytes, body.postcode.size);

	if (!initial)
		client = newest_find(orders, CHAIN_CLIENT, client_hash, &body.client, sizeof body.client);
	/* RULE 11: whatever the primary looked up, one request makes one order, and numbers rise. */
	if (client != NULL && request_at(orders, *client) >= body.request)
		return ORDERS_DUPLICATE;

	struct record *record = arena_take(&orders->records, sizeof *record);

	record->position = store_text(orders, bytes, size);
	record->links[CHAIN_POSTCODE] = link_after(orders, CHAIN_POSTCODE, postcode == NULL ? NO_ORDER : *postcode);
	newest_set(orders, CHAIN_POSTCODE, postcode_hash, postcode, index);
	record->links[CHAIN_CLIENT] = link_after(orders, CHAIN_CLIENT, client == NULL ? NO_ORDER : *client);
	if (!initial)
		newest_set(orders, CHAIN_CLIENT, client_hash, client, index);
	orders->digest = digest;
	if (body.time_us > orders->last_time_us)
		orders->last_time_us = body.time_us;
	atomic_store_explicit(&orders->bytes, orders->texts.used, memory_order_relaxed);
	/* Release: who sees the new count sees the record and the bytes written above. */
	atomic_store_explicit(&orders->count, (uint64_t)index + 1, memory_order_release);
	return ORDERS_APPLIED;
}

enum orders_applied orders_apply(struct orders *orders, const void *body, size_t size)
{
	return add(orders, body, size, false);
}

static enum orders_applied add_initial(struct orders *orders, const void *body, size_t size)
{
	must(orders_op(orders) == 0);
	enum orders_applied applied = add(orders, body, size, true);

	if (applied == ORDERS_APPLIED) {
		orders->initial_count++;
		orders->initial_digest = orders->digest;
	}
	return applied;
}

static const char *problem_text(enum orders_applied applied)
{
	switch (applied) {
	case ORDERS_MALFORMED:
		return "not a well-formed order";
	case ORDERS_DUPLICATE:
		return "its client ordered with this or a higher request number before";
	case ORDERS_FULL:
		return "more orders than --max-orders allows";
	case ORDERS_APPLIED:
		break;
	}
	return "no problem";
}

bool orders_load_initial(struct orders *orders, const void *body, size_t size, char *error, size_t error_size)
{
	enum orders_applied applied = add_initial(orders, body, size);

	if (applied != ORDERS_APPLIED)
		snprintf(error, error_size, "initial order %llu: %s", (unsigned long long)orders_count(orders) + 1,
			 problem_text(applied));
	return applied == ORDERS_APPLIED;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

uint64_t orders_count(const struct orders *orders)
{
	return atomic_load_explicit(&orders->count, memory_order_acquire);
}

uint64_t orders_initial_count(const struct orders *orders)
{
	return orders->initial_count;
}

bool orders_same_initial(const struct orders *left, const struct orders *right)
{
	return left->initial_count == right->initial_count && digest_equal(left->initial_digest, right->initial_digest);
}

uint64_t orders_op(const struct orders *orders)
{
	return orders_count(orders) - orders->initial_count;
}

struct digest orders_digest(const struct orders *orders)
{
	return orders->digest;
}

static int64_t time_at(const struct orders *orders, uint64_t op)
{
	struct body body;

	read_body(orders, orders->initial_count + op - 1, &body);
	return body.time_us;
}

int64_t orders_last_time_us(const struct orders *orders)
{
	return orders->last_time_us;
}

uint64_t orders_dated_after(const struct orders *orders, int64_t time_us)
{
	uint64_t low = 1, high = orders_op(orders);

	if (orders->last_time_us <= time_us)
		return 0;
	/* The last may be of the orders loaded at the start, and there may be none else. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (time_at(orders, middle) > time_us)
			high = middle;
		else
			low = middle + 1;
	}
	return low == high && time_at(orders, low) > time_us ? low : 0;
}

uint64_t orders_bytes(const struct orders *orders)
{
	return atomic_load_explicit(&orders->bytes, memory_order_relaxed);
}

uint64_t orders_memory(const struct orders *orders)
{
	uint64_t memory = sizeof *orders + orders->records.used + orders->texts.used;

	for (int chain = 0; chain < CHAINS; chain++)
		memory += linear_hash_memory(&orders->newest[chain]);
	return memory;
}

bool orders_body_key(const void *body, size_t size, struct uuid *client, uint64_t *request, struct digest *content,
		     int64_t *time_us)
{
	struct body parsed;

	if (!body_parse(body, size, &parsed))
		return false;
	if (client != NULL)
		*client = parsed.client;
	if (request != NULL)
		*request = parsed.request;
	if (content != NULL)
		*content = digest_of(parsed.content, parsed.content_size);
	if (time_us != NULL)
		*time_us = parsed.time_us;
	return true;
}

enum orders_known orders_lookup(const struct orders *orders, struct uuid client, uint64_t request,
				struct digest content, uint64_t *op)
{
	uint32_t hash = hash_of(orders, &client, sizeof client);
	uint32_t *newest = newest_find(orders, CHAIN_CLIENT, hash, &client, sizeof client);

	/* RULE 11: the answer to a repeat is its order; below the last without an order is final. */
	if (newest == NULL || request > request_at(orders, *newest))
		return ORDERS_UNKNOWN;

	uint32_t index = request_find(orders, *newest, request);
	struct body body;

	if (index == NO_ORDER)
		return ORDERS_SUPERSEDED;
	*op = op_of(orders, index);
	read_body(orders, index, &body);
	/* RULE 11 */
	return digest_equal(digest_of(body.content, body.content_size), content) ? ORDERS_REPEAT : ORDERS_CONFLICT;
}

static void view_order(const struct orders *orders, uint64_t index, struct order_view *view)
{
	struct body body;

	read_body(orders, index, &body);
	view->op = op_of(orders, index);
	view->number = record_at(orders, index)->links[CHAIN_POSTCODE].depth;
	view->time_us = body.time_us;
	view->check = body.check;
	view->client = body.client;
	view->request = body.request;
	view->postcode = body.postcode;
	view->customer = body.customer;
	view->items_count = body.items_count;
	memcpy(view->items, body.items, body.items_count * sizeof body.items[0]);
}

bool orders_by_op(const struct orders *orders, uint64_t op, struct order_view *view)
{
	if (op == 0 || op > orders_op(orders))
		return false;
	view_order(orders, orders->initial_count + op - 1, view);
	return true;
}

uint32_t orders_postcode_total(const struct orders *orders, const char *postcode, size_t size)
{
	return link_at(orders, CHAIN_POSTCODE, postcode_newest(orders, postcode, size)).depth;
}

uint32_t orders_history(const struct orders *orders, const char *postcode, size_t size, uint32_t before, uint32_t limit,
			struct order_view *views)
{
	uint32_t index = postcode_newest(orders, postcode, size);
	uint32_t last = link_at(orders, CHAIN_POSTCODE, index).depth;

	if (before != 0 && before - 1 < last)
		last = before - 1;

	uint32_t count = last < limit ? last : limit;

	if (count == 0)
		return 0;
	index = chain_find(orders, CHAIN_POSTCODE, index, last);
	for (uint32_t i = count; i > 0; i--) {
		view_order(orders, index, &views[i - 1]);
		index = link_at(orders, CHAIN_POSTCODE, index).previous;
	}
	return count;
}

/* --- the state as bytes ------------------------------------------------------------------------------------------- */

/* Where the record of an order begins; of the order after the last of `count`: where the bytes end. */
static uint64_t begin_of(const struct orders *orders, uint64_t index, uint64_t count)
{
	if (index < count)
		return record_at(orders, index)->position;
	if (count == 0)
		return 0;

	size_t size;

	body_at(orders, count - 1, &size);
	return record_at(orders, count - 1)->position + PREFIX_BYTES + size;
}

size_t orders_encode(const struct orders *orders, uint64_t first, uint64_t through_op, uint64_t *next, void *out,
		     size_t size)
{
	uint64_t count = orders->initial_count + through_op;

	must(count <= orders_count(orders));
	must(first <= count);

	/* The history keeps its bodies as they are sent, one behind the other: find how many fit, and copy once. */
	uint64_t begin = begin_of(orders, first, count);
	uint64_t low = first, high = count;

	while (low < high) {
		uint64_t middle = high - (high - low) / 2;

		if (begin_of(orders, middle, count) - begin <= size)
			low = middle;
		else
			high = middle - 1;
	}

	size_t written = begin_of(orders, low, count) - begin;

	memcpy(out, orders->texts.base + begin, written);
	*next = low;
	return written;
}

bool orders_decode(struct orders *orders, uint64_t initial_count, const void *bytes, size_t size, char *error,
		   size_t error_size)
{
	const uint8_t *at = bytes;
	const char *problem = "cut off within an order";

	if (orders->initial_count > initial_count ||
	    (orders_op(orders) > 0 && orders->initial_count != initial_count)) {
		problem = "another number of initial orders than before";
		goto refuse;
	}
	while (size > 0) {
		uint32_t prefix;

		if (size < sizeof prefix)
			goto refuse;
		memcpy(&prefix, at, sizeof prefix);
		prefix = be32toh(prefix);
		at += sizeof prefix;
		size -= sizeof prefix;
		if (prefix > size)
			goto refuse;

		enum orders_applied applied = orders->initial_count < initial_count ? add_initial(orders, at, prefix) :
										      orders_apply(orders, at, prefix);

		if (applied != ORDERS_APPLIED) {
			problem = problem_text(applied);
			goto refuse;
		}
		at += prefix;
		size -= prefix;
	}
	return true;
refuse:
	snprintf(error, error_size, "encoded history, order %llu: %s", (unsigned long long)orders_count(orders) + 1,
		 problem);
	return false;
}
