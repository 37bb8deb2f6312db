#include "support_orders.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/must.h"
#include "server/machine/body.h"

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

static struct order_text text_of(const char *text)
{
	return (struct order_text){.bytes = text, .size = (uint32_t)strlen(text)};
}

size_t make_body(void *out, struct uuid client, uint64_t request, int64_t time_us, const char *postcode,
		 const char *const *items)
{
	struct body body = {.client = client, .request = request, .time_us = time_us, .check = 1};

	body.postcode = text_of(postcode);
	body.customer = text_of("");
	while (items[body.items_count] != NULL) {
		body.items[body.items_count] = text_of(items[body.items_count]);
		body.items_count++;
	}

	size_t size = body_encode(&body, out, LIMIT_BODY_BYTES);

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
