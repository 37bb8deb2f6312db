/* The order history as bytes, and back: what a full push and a snapshot carry. */
#include <stdio.h>

#include "server/machine/orders_internal.h"

/* Where the record of an order begins; of the order after the last of `count`: where the bytes end. */
static uint64_t begin_of(const struct orders *orders, uint64_t index, uint64_t count)
{
	if (index < count)
		return orders_record_at(orders, index)->position;
	if (count == 0)
		return 0;

	size_t size;

	orders_body_at(orders, count - 1, &size);
	return orders_record_at(orders, count - 1)->position + PREFIX_BYTES + size;
}

size_t orders_encode(const struct orders *orders, uint64_t first, uint64_t through_op, uint64_t *next, void *out,
		     size_t size)
{
	uint64_t count = orders->initial_count + through_op;

	must(count <= orders_count(orders));
	must(first <= count);

	/* The history keeps its bodies as they are sent, one behind the other: find how many fit, and copy once. */
	uint64_t begin = begin_of(orders, first, count);
	uint64_t low = first, high = count;

	while (low < high) {
		uint64_t middle = high - (high - low) / 2;

		if (begin_of(orders, middle, count) - begin <= size)
			low = middle;
		else
			high = middle - 1;
	}

	size_t written = begin_of(orders, low, count) - begin;

	memcpy(out, orders->texts.base + begin, written);
	*next = low;
	return written;
}

bool orders_decode(struct orders *orders, uint64_t initial_count, const void *bytes, size_t size, char *error,
		   size_t error_size)
{
	const uint8_t *at = bytes;
	const char *problem = "cut off within an order";

	if (orders->initial_count > initial_count ||
	    (orders_op(orders) > 0 && orders->initial_count != initial_count)) {
		problem = "another number of initial orders than before";
		goto refuse;
	}
	while (size > 0) {
		uint32_t prefix;

		if (size < sizeof prefix)
			goto refuse;
		memcpy(&prefix, at, sizeof prefix);
		prefix = be32toh(prefix);
		at += sizeof prefix;
		size -= sizeof prefix;
		if (prefix > size)
			goto refuse;

		bool initial = orders->initial_count < initial_count;
		enum orders_applied applied = initial ? orders_add_initial(orders, at, prefix) :
							orders_apply(orders, at, prefix);

		if (applied != ORDERS_APPLIED) {
			problem = orders_problem_text(applied);
			goto refuse;
		}
		at += prefix;
		size -= prefix;
	}
	return true;
refuse:
	snprintf(error, error_size, "encoded history, order %llu: %s", (unsigned long long)orders_count(orders) + 1,
		 problem);
	return false;
}
