#include "support_orders.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/format.h"
#include "rpc/base/must.h"
#include "server/shop/order.h"

uint64_t random_below(struct random *random, uint64_t below)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

struct uuid client_number(uint64_t n)
{
	struct uuid uuid = {{0}};
	struct random random = {n};
	uint64_t words[2] = {htobe64(n), random_below(&random, UINT64_MAX)};

	if (n != 0)
		memcpy(uuid.bytes, words, sizeof words);
	return uuid;
}

const struct postcode_orders *orders_in(const struct machine *machine)
{
	return order_postcode_orders(machine_shop(machine));
}

static struct text_span text_of(const char *text)
{
	return (struct text_span){.bytes = text, .size = (uint32_t)strlen(text)};
}

size_t make_body(void *out, struct uuid client, uint64_t request, int64_t time_us, const char *postcode,
		 const char *const *items)
{
	const struct body body = {.format = FORMAT_LOW, .client = client, .request = request, .time_us = time_us, .check = 1};
	struct order order = {.postcode = text_of(postcode), .customer = text_of("")};

	while (items[order.items_count] != NULL) {
		order.items[order.items_count] = text_of(items[order.items_count]);
		order.items_count++;
	}

	size_t size = order_encode_body(&body, &order, out, LIMIT_BODY_BYTES);

	must(size > 0);
	return size;
}

size_t make_usual_body(void *out, struct uuid client, uint64_t request, uint32_t postcode_number)
{
	static const char *const items[] = {"margherita", "garlic bread!", NULL};
	char postcode[16];

	snprintf(postcode, sizeof postcode, "DH%u %uLE", postcode_number / 10 % 100, postcode_number % 10);
	if (postcode_number >= 1000)
		snprintf(postcode, sizeof postcode, "P%u", postcode_number);
	return make_body(out, client, request, (int64_t)request, postcode, items);
}
