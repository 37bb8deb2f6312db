/* Where an order is: the newest of a postcode or a client by its hash, any other through the chain that leads back from
 * it. */
#include <xxhash.h>

#include "server/machine/orders_internal.h"

/* --- chains ------------------------------------------------------------------------------------------------------- */

struct link orders_link_after(const struct orders *orders, enum chain chain, uint32_t newest)
{
	struct link before = orders_link_at(orders, chain, newest);
	struct link jump = orders_link_at(orders, chain, before.jump);
	uint32_t span = before.depth - jump.depth;
	bool merge = newest != NO_ORDER && span == jump.depth - orders_link_at(orders, chain, jump.jump).depth;

	return (struct link){.depth = before.depth + 1, .previous = newest, .jump = merge ? jump.jump : newest};
}

uint32_t orders_chain_find(const struct orders *orders, enum chain chain, uint32_t newest, uint32_t depth)
{
	struct link link = orders_link_at(orders, chain, newest);

	must(depth >= 1 && depth <= link.depth);
	while (link.depth > depth) {
		struct link jump = orders_link_at(orders, chain, link.jump);

		newest = jump.depth >= depth ? link.jump : link.previous;
		link = orders_link_at(orders, chain, newest);
	}
	return newest;
}

uint32_t orders_request_find(const struct orders *orders, uint32_t index, uint64_t request)
{
	while (index != NO_ORDER && orders_request_at(orders, index) > request) {
		struct link link = orders_link_at(orders, CHAIN_CLIENT, index);

		index = link.jump != NO_ORDER && orders_request_at(orders, link.jump) >= request ? link.jump :
												   link.previous;
	}
	return index != NO_ORDER && orders_request_at(orders, index) == request ? index : NO_ORDER;
}

/* --- the newest of each ------------------------------------------------------------------------------------------- */

uint32_t orders_hash_of(const struct orders *orders, const void *key, size_t size)
{
	return (uint32_t)XXH3_64bits_withSeed(key, size, orders->hash_seed);
}

struct key {
	const struct orders *orders;
	const void *bytes;
	size_t size;
};

static bool client_matches(const void *context, uint32_t index)
{
	const struct key *key = context;
	size_t size;

	return memcmp(orders_body_at(key->orders, index, &size) + BODY_CLIENT_OFFSET, key->bytes,
		      sizeof(struct uuid)) == 0;
}

static bool postcode_matches(const void *context, uint32_t index)
{
	const struct key *key = context;
	struct body body;

	orders_read_body(key->orders, index, &body);
	return body.postcode.size == key->size && memcmp(body.postcode.bytes, key->bytes, key->size) == 0;
}

uint32_t *orders_newest_find(const struct orders *orders, enum chain chain, uint32_t hash, const void *bytes,
			     size_t size)
{
	struct key key = {.orders = orders, .bytes = bytes, .size = size};

	return linear_hash_find(&orders->newest[chain], hash,
				chain == CHAIN_CLIENT ? client_matches : postcode_matches, &key);
}

void orders_newest_set(struct orders *orders, enum chain chain, uint32_t hash, uint32_t *place, uint32_t index)
{
	if (place != NULL)
		*place = index;
	else
		linear_hash_insert(&orders->newest[chain], hash, index);
}

uint32_t orders_postcode_newest(const struct orders *orders, const char *postcode, size_t size)
{
	uint32_t hash = orders_hash_of(orders, postcode, size);
	uint32_t *place = orders_newest_find(orders, CHAIN_POSTCODE, hash, postcode, size);

	return place == NULL ? NO_ORDER : *place;
}
