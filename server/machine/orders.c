#include "server/machine/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/machine/orders_internal.h"

/* The largest canonical body: the fixed part, then each text at its limit. */
#define BODY_BYTES_MAX (48 + LIMIT_CUSTOMER_BYTES + LIMIT_POSTCODE_BYTES + 4 + LIMIT_ITEMS * (4 + LIMIT_ITEM_BYTES))

_Static_assert(BODY_BYTES_MAX <= LIMIT_BODY_BYTES, "every canonical body fits");

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

static uint64_t op_of(const struct orders *orders, uint64_t index)
{
	return index < orders->initial_count ? 0 : index - orders->initial_count + 1;
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

	uint32_t client_hash = orders_hash_of(orders, &body.client, sizeof body.client);
	uint32_t postcode_hash = orders_hash_of(orders, body.postcode.bytes, body.postcode.size);

	linear_hash_prefetch(&orders->newest[CHAIN_CLIENT], client_hash);
	linear_hash_prefetch(&orders->newest[CHAIN_POSTCODE], postcode_hash);

	struct digest digest = digest_chain(orders->digest, bytes, size);
	uint32_t *client = NULL;
	uint32_t *postcode =
		orders_newest_find(orders, CHAIN_POSTCODE, postcode_hash, body.postcode.bytes, body.postcode.size);

	if (!initial)
		client = orders_newest_find(orders, CHAIN_CLIENT, client_hash, &body.client, sizeof body.client);
	/* RULE 11: whatever the primary looked up, one request makes one order, and numbers rise. */
	if (client != NULL && orders_request_at(orders, *client) >= body.request)
		return ORDERS_DUPLICATE;

	struct record *record = arena_take(&orders->records, sizeof *record);

	record->position = store_text(orders, bytes, size);
	record->links[CHAIN_POSTCODE] =
		orders_link_after(orders, CHAIN_POSTCODE, postcode == NULL ? NO_ORDER : *postcode);
	orders_newest_set(orders, CHAIN_POSTCODE, postcode_hash, postcode, index);
	record->links[CHAIN_CLIENT] = orders_link_after(orders, CHAIN_CLIENT, client == NULL ? NO_ORDER : *client);
	if (!initial)
		orders_newest_set(orders, CHAIN_CLIENT, client_hash, client, index);
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

enum orders_applied orders_add_initial(struct orders *orders, const void *body, size_t size)
{
	must(orders_op(orders) == 0);
	enum orders_applied applied = add(orders, body, size, true);

	if (applied == ORDERS_APPLIED) {
		orders->initial_count++;
		orders->initial_digest = orders->digest;
	}
	return applied;
}

const char *orders_problem_text(enum orders_applied applied)
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
	enum orders_applied applied = orders_add_initial(orders, body, size);

	if (applied != ORDERS_APPLIED)
		snprintf(error, error_size, "initial order %llu: %s", (unsigned long long)orders_count(orders) + 1,
			 orders_problem_text(applied));
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

	orders_read_body(orders, orders->initial_count + op - 1, &body);
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
	uint32_t hash = orders_hash_of(orders, &client, sizeof client);
	uint32_t *newest = orders_newest_find(orders, CHAIN_CLIENT, hash, &client, sizeof client);

	/* RULE 11: the answer to a repeat is its order; below the last without an order is final. */
	if (newest == NULL || request > orders_request_at(orders, *newest))
		return ORDERS_UNKNOWN;

	uint32_t index = orders_request_find(orders, *newest, request);
	struct body body;

	if (index == NO_ORDER)
		return ORDERS_SUPERSEDED;
	*op = op_of(orders, index);
	orders_read_body(orders, index, &body);
	/* RULE 11 */
	return digest_equal(digest_of(body.content, body.content_size), content) ? ORDERS_REPEAT : ORDERS_CONFLICT;
}

static void view_order(const struct orders *orders, uint64_t index, struct order_view *view)
{
	struct body body;

	orders_read_body(orders, index, &body);
	view->op = op_of(orders, index);
	view->number = orders_record_at(orders, index)->links[CHAIN_POSTCODE].depth;
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
	return orders_link_at(orders, CHAIN_POSTCODE, orders_postcode_newest(orders, postcode, size)).depth;
}

uint32_t orders_history(const struct orders *orders, const char *postcode, size_t size, uint32_t before, uint32_t limit,
			struct order_view *views)
{
	uint32_t index = orders_postcode_newest(orders, postcode, size);
	uint32_t last = orders_link_at(orders, CHAIN_POSTCODE, index).depth;

	if (before != 0 && before - 1 < last)
		last = before - 1;

	uint32_t count = last < limit ? last : limit;

	if (count == 0)
		return 0;
	index = orders_chain_find(orders, CHAIN_POSTCODE, index, last);
	for (uint32_t i = count; i > 0; i--) {
		view_order(orders, index, &views[i - 1]);
		index = orders_link_at(orders, CHAIN_POSTCODE, index).previous;
	}
	return count;
}
