#include "server/shop/order.h"

#include "server/shop/order_encoding.h"
#include "server/shop/postcode_orders.h"
#include "server/shop/shop.h"

static bool is_canonical(const void *content, size_t size)
{
	struct order order;

	return order_parse(content, size, &order);
}

static void prefetch(const struct shop *shop, const struct body *body)
{
	postcode_orders_prefetch(shop_postcode_orders(shop), order_postcode(body->content, body->content_size));
}

static void apply(struct shop *shop, uint32_t entry, const struct body *body)
{
	postcode_orders_add(shop_postcode_orders(shop), entry, order_postcode(body->content, body->content_size));
}

const struct operation order_operation = {
	.kind = ORDER_KIND,
	.name = "order",
	.is_canonical = is_canonical,
	.prefetch = prefetch,
	.apply = apply,
};
