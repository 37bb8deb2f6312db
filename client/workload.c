#include "client/workload.h"

#include <stdio.h>
#include <string.h>

#include "rpc/base/must.h"

const char *workload_postcode(uint32_t index, char out[static WORKLOAD_POSTCODE_SIZE])
{
	static const char letters[] = "ABDEFGHJLNPQRSTUWXYZ"; /* which BS 7666 allows in the inward half */
	const uint32_t radix = sizeof letters - 1;

	must(index < WORKLOAD_POSTCODES_MAX);
	if (index < 2) {
		snprintf(out, WORKLOAD_POSTCODE_SIZE, "%s", index ? "DH1 3LG" : "DH1 3LE");
		return out;
	}
	index -= 2;
	snprintf(out, WORKLOAD_POSTCODE_SIZE, "NE%u %u%c%c", (1 + index / (10 * radix * radix)) % 100,
		 index / (radix * radix) % 10, letters[index / radix % radix], letters[index % radix]);
	return out;
}

static const char customer[] = "bench";
static const char *const menu[][2] = {
	{"spicy fried wing", "chips, vinegar"},
	{"margherita 12\"", "two garlic bread"},
	{"lentil soup bowl", "warm flatbread"},
	{"veggie burger xl", "fries and mayo"},
};

static void set_item(jh_item *item, const char *text)
{
	item->jh_item_val = (char *)text;
	item->jh_item_len = (u_int)strlen(text);
}

void workload_order(uint64_t turn, const char *postcode, jh_item items[static 2], jh_order *order)
{
	size_t dish = turn % (sizeof menu / sizeof *menu);

	memset(order, 0, sizeof *order);
	order->customer.customer_val = (char *)customer;
	order->customer.customer_len = sizeof customer - 1;
	order->postcode.postcode_val = (char *)postcode;
	order->postcode.postcode_len = (u_int)strlen(postcode);
	set_item(&items[0], menu[dish][0]);
	set_item(&items[1], menu[dish][1]);
	must(items[0].jh_item_len + items[1].jh_item_len == 30);
	order->items.items_val = items;
	order->items.items_len = 2;
}

static bool is_item(const jh_item *item, const char *text)
{
	return item->jh_item_len == strlen(text) && memcmp(item->jh_item_val, text, strlen(text)) == 0;
}

bool workload_is_own(const jh_history_order *order)
{
	if (order->customer.customer_len != sizeof customer - 1 ||
	    memcmp(order->customer.customer_val, customer, sizeof customer - 1) != 0 || order->items.items_len != 2)
		return false;
	for (size_t i = 0; i < sizeof menu / sizeof *menu; i++)
		if (is_item(&order->items.items_val[0], menu[i][0]) && is_item(&order->items.items_val[1], menu[i][1]))
			return true;
	return false;
}
