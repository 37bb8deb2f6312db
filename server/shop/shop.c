#include "server/shop/shop.h"

#include <stdlib.h>

#include "rpc/base/shortage.h"
#include "server/shop/postcode_orders.h"

struct shop {
	struct postcode_orders *postcode_orders;
};

struct shop *shop_new(const struct history *history, uint32_t entries_max)
{
	struct shop *shop = calloc(1, sizeof *shop);

	must_allocate(shop);
	shop->postcode_orders = postcode_orders_new(history, entries_max);
	return shop;
}

void shop_free(struct shop *shop)
{
	postcode_orders_free(shop->postcode_orders);
	free(shop);
}

uint64_t shop_memory(const struct shop *shop)
{
	return sizeof *shop + postcode_orders_memory(shop->postcode_orders);
}

struct postcode_orders *shop_postcode_orders(const struct shop *shop)
{
	return shop->postcode_orders;
}
