/* The history that a fresh replica is loaded with: compiled in, or from the file of `--initial-orders`. It makes
 * encoded bodies (struct jh_body of rpc/shop.x, nil client, request 0, time 0, check NONE) and keeps no state.
 *
 * The file is UTF-8 text, one order per line: POSTCODE, a tab, customer (may be empty), then a tab and an item for
 * each item (1 to 32). rpc/base/lines.h describes lines in general, rpc/base/order_text.h the texts.
 *
 *     DH1 3LE<TAB>Ann<TAB>burger<TAB>fries */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define INITIAL_ORDERS_ERROR_SIZE 512

/* Takes one body, borrowed for the call. False with one line in error stops the load. */
typedef bool initial_orders_take(void *context, const void *body, size_t size, char *error, size_t error_size);

/* DH1 3LE: [burger, fries], [pizza]; DH1 3LG: [fried chicken, chips], [vegetables]. */
bool initial_orders_built_in(initial_orders_take *take, void *context, char *error, size_t error_size);

/* Postcodes are normalised and checked by the grammar alone. False with one line, `FILE:LINE: what`, in error;
 * orders of the lines before it have been given to take. Reads at most one line into memory. */
bool initial_orders_load(const char *path, initial_orders_take *take, void *context, char *error, size_t error_size);
