/* The content of an order as bytes, struct jh_order of rpc/shop.x. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/limits.h"
#include "server/machine/body.h"

/* Items of free text for a postcode. Texts are borrowed from the bytes that were read. */
struct order {
	struct text_span customer;
	struct text_span postcode;
	uint32_t items_count;
	struct text_span items[LIMIT_ITEMS]; /* the first items_count are set */
};

#define ORDER_KIND 1 /* JH_OPERATION_ORDER */

/* False when content is anything but one canonical order: cut, trailing bytes, padding that is not zero, a text over its
 * limit, no items or an empty one. */
bool order_parse(const void *content, size_t size, struct order *order);
/* Of canonical content. */
struct text_span order_postcode(const void *content, size_t size);

/* Appends the content; false when it does not fit or breaks a limit. */
bool order_encode(const struct order *order, struct encoder *content);
/* Writes a body with this order; returns its size, or 0 when it does not fit in size bytes or breaks a limit.
 * LIMIT_BODY_BYTES always suffice. kind and content of body are not read. */
size_t order_encode_body(const struct body *body, const struct order *order, void *out, size_t size);
