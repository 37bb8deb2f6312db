/* The orders of each postcode: an index over the history, folded from it one entry at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/uuid.h"
#include "server/shop/order_encoding.h"

struct history;
struct postcode_orders;

/* An order as it is kept; texts are borrowed from the history, valid as long as it is, and not NUL-terminated. */
struct order_view {
	uint64_t op;         /* 0: loaded at the start, before the log */
	uint32_t number;     /* within its postcode, from 1 */
	int64_t time_us;     /* since 1970, UTC; 0 for loaded orders */
	uint32_t check;      /* enum jh_check */
	struct uuid client;
	uint64_t request;
	struct order order;
};

/* history: borrowed, it outlives the index. */
struct postcode_orders *postcode_orders_new(const struct history *history, uint32_t entries_max);
void postcode_orders_free(struct postcode_orders *orders);
uint64_t postcode_orders_memory(const struct postcode_orders *orders); /* bytes in use */

/* Prefetches what postcode_orders_add of this postcode reads first. */
void postcode_orders_prefetch(const struct postcode_orders *orders, struct text_span postcode);
/* Adds this entry of the history as an order to this postcode; it is newer than all others. Returns its number. */
uint32_t postcode_orders_add(struct postcode_orders *orders, uint32_t entry, struct text_span postcode);

/* Of all postcodes, with loaded ones. */
uint64_t postcode_orders_count(const struct postcode_orders *orders);

/* The order that op made. False when there is none. */
bool postcode_orders_by_op(const struct postcode_orders *orders, uint64_t op, struct order_view *view);

/* The highest `number` of a normalised postcode (0: none). */
uint32_t postcode_orders_total(const struct postcode_orders *orders, const char *postcode, size_t size);

/* Fills views with the orders of a postcode numbered below `before` (0: from the newest), the newest `limit` of them,
 * by rising number. Returns how many. */
uint32_t postcode_orders_list(const struct postcode_orders *orders, const char *postcode, size_t size, uint32_t before,
			      uint32_t limit, struct order_view *views);
