#include "server/shop/order_encoding.h"

#include "rpc/base/must.h"
#include "server/machine/history.h"

/* The largest canonical body: the head with all that it may hold, then each text at its limit. */
#define BODY_BYTES_MAX \
	(BODY_HEAD_BYTES + 8 + LIMIT_CUSTOMER_BYTES + LIMIT_POSTCODE_BYTES + 4 + LIMIT_ITEMS * (4 + LIMIT_ITEM_BYTES))

_Static_assert(BODY_BYTES_MAX <= HISTORY_BODY_BYTES, "every canonical body fits");

static bool parse_items(struct decoder *decoder, struct order *order)
{
	if (!decoder_word(decoder, &order->items_count) || order->items_count == 0 || order->items_count > LIMIT_ITEMS)
		return false;
	for (uint32_t i = 0; i < order->items_count; i++)
		if (!decoder_text(decoder, LIMIT_ITEM_BYTES, &order->items[i]) || order->items[i].size == 0)
			return false;
	return true;
}

bool order_parse(const void *content, size_t size, struct order *order)
{
	struct decoder decoder = {.at = content, .left = size};

	return decoder_text(&decoder, LIMIT_CUSTOMER_BYTES, &order->customer) &&
	       decoder_text(&decoder, LIMIT_POSTCODE_BYTES, &order->postcode) && parse_items(&decoder, order) &&
	       decoder.left == 0;
}

struct text_span order_postcode(const void *content, size_t size)
{
	struct decoder decoder = {.at = content, .left = size};
	struct text_span customer, postcode;
	bool is_canonical = decoder_text(&decoder, LIMIT_CUSTOMER_BYTES, &customer) &&
			    decoder_text(&decoder, LIMIT_POSTCODE_BYTES, &postcode);

	must(is_canonical);
	return postcode;
}

bool order_encode(const struct order *order, struct encoder *content)
{
	if (order->items_count == 0 || order->items_count > LIMIT_ITEMS)
		return false;
	encoder_text(content, LIMIT_CUSTOMER_BYTES, order->customer);
	encoder_text(content, LIMIT_POSTCODE_BYTES, order->postcode);
	encoder_word(content, order->items_count);
	for (uint32_t i = 0; i < order->items_count; i++) {
		content->failed |= order->items[i].size == 0;
		encoder_text(content, LIMIT_ITEM_BYTES, order->items[i]);
	}
	return !content->failed;
}

size_t order_encode_body(const struct body *body, const struct order *order, void *out, size_t size)
{
	struct encoder encoder = {.at = out, .left = size};
	struct body head = *body;

	head.kind = ORDER_KIND;
	body_encode_head(&head, &encoder);
	return order_encode(order, &encoder) ? size - encoder.left : 0;
}
