#include "server/shop/postcode_orders.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/machine/chains.h"
#include "server/machine/history.h"

struct postcode_orders {
	const struct history *history;
	struct chains chains; /* an order's depth is its number */
	uint64_t count;
};

struct postcode_orders *postcode_orders_new(const struct history *history, uint32_t entries_max)
{
	struct postcode_orders *orders = calloc(1, sizeof *orders);

	must_allocate(orders);
	orders->history = history;
	chains_init(&orders->chains, entries_max);
	return orders;
}

void postcode_orders_free(struct postcode_orders *orders)
{
	chains_release(&orders->chains);
	free(orders);
}

uint64_t postcode_orders_memory(const struct postcode_orders *orders)
{
	return sizeof *orders + chains_memory(&orders->chains);
}

struct sought {
	const struct postcode_orders *orders;
	struct text_span postcode;
};

static bool is_to_postcode(const void *key, uint32_t entry)
{
	const struct sought *sought = key;
	struct body body;
	struct text_span postcode;
	size_t size;
	const uint8_t *bytes = history_body(sought->orders->history, entry, &size);

	must(body_parse(bytes, size, &body));
	postcode = order_postcode(body.content, body.content_size);
	return postcode.size == sought->postcode.size && memcmp(postcode.bytes, sought->postcode.bytes, postcode.size) == 0;
}

static uint32_t *find(const struct postcode_orders *orders, uint32_t hash, struct text_span postcode)
{
	struct sought sought = {.orders = orders, .postcode = postcode};

	return chains_find(&orders->chains, hash, is_to_postcode, &sought);
}

void postcode_orders_prefetch(const struct postcode_orders *orders, struct text_span postcode)
{
	chains_prefetch(&orders->chains, chains_hash(&orders->chains, postcode.bytes, postcode.size));
}

uint32_t postcode_orders_add(struct postcode_orders *orders, uint32_t entry, struct text_span postcode)
{
	uint32_t hash = chains_hash(&orders->chains, postcode.bytes, postcode.size);

	chains_add(&orders->chains, entry, hash, find(orders, hash, postcode));
	orders->count++;
	return chains_depth(&orders->chains, entry);
}

uint64_t postcode_orders_count(const struct postcode_orders *orders)
{
	return orders->count;
}

static uint32_t newest(const struct postcode_orders *orders, const char *postcode, size_t size)
{
	uint32_t *place = find(orders, chains_hash(&orders->chains, postcode, size),
			       (struct text_span){.bytes = postcode, .size = (uint32_t)size});

	return place == NULL ? CHAINS_NONE : *place;
}

static void view_order(const struct postcode_orders *orders, uint32_t entry, struct order_view *view)
{
	struct body body;
	size_t size;
	const uint8_t *bytes = history_body(orders->history, entry, &size);

	must(body_parse(bytes, size, &body));
	must(order_parse(body.content, body.content_size, &view->order));
	view->op = history_op_of(orders->history, entry);
	view->number = chains_depth(&orders->chains, entry);
	view->time_us = body.time_us;
	view->check = body.check;
	view->client = body.client;
	view->request = body.request;
}

bool postcode_orders_by_op(const struct postcode_orders *orders, uint64_t op, struct order_view *view)
{
	uint32_t entry;

	if (op == 0 || op > history_op(orders->history))
		return false;
	entry = (uint32_t)history_entry_of(orders->history, op);
	if (chains_depth(&orders->chains, entry) == 0)
		return false; /* no order */
	view_order(orders, entry, view);
	return true;
}

uint32_t postcode_orders_total(const struct postcode_orders *orders, const char *postcode, size_t size)
{
	return chains_depth(&orders->chains, newest(orders, postcode, size));
}

uint32_t postcode_orders_list(const struct postcode_orders *orders, const char *postcode, size_t size, uint32_t before,
			      uint32_t limit, struct order_view *views)
{
	uint32_t entry = newest(orders, postcode, size);
	uint32_t last = chains_depth(&orders->chains, entry);

	if (before != 0 && before - 1 < last)
		last = before - 1;

	uint32_t count = last < limit ? last : limit;

	if (count == 0)
		return 0;
	entry = chains_at_depth(&orders->chains, entry, last);
	for (uint32_t i = count; i > 0; i--) {
		view_order(orders, entry, &views[i - 1]);
		entry = chains_previous(&orders->chains, entry);
	}
	return count;
}
