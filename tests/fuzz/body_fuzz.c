/* Encoded operations, by hand and by rpcgen, and the order-history state that is made of them: what pushes, journals
 * and snapshots carry.
 *
 * Input: a byte of mode. Even: the rest is one body. Odd: the rest is a state (orders_encode) whose first mode / 2
 * orders are loaded ones. What is accepted has one encoding only, and a state that is decoded encodes to the same
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/shop.h"
#include "server/machine/body.h"
#include "server/machine/orders.h"

static void read_body(const uint8_t *bytes, size_t size)
{
	static uint8_t encoded[LIMIT_BODY_BYTES];
	struct orders *orders = orders_new(10);
	struct body body;
	struct uuid client;
	struct digest content;
	uint64_t request, op;
	int64_t time_us;
	bool good = body_parse(bytes, size, &body);

	must(orders_body_key(bytes, size, &client, &request, &content, &time_us) == good);
	must((orders_apply(orders, bytes, size) == ORDERS_APPLIED) == good);
	if (good) {
		struct order_view view;

		must(size <= sizeof encoded);
		must(body_encode(&body, encoded, sizeof encoded) == size);
		must(memcmp(encoded, bytes, size) == 0);
		must(orders_apply(orders, bytes, size) == ORDERS_DUPLICATE);
		must(orders_lookup(orders, client, request, content, &op) == ORDERS_REPEAT);
		must(op == 1);
		must(orders_by_op(orders, op, &view));
		must(view.items_count == body.items_count);
		must(orders_history(orders, body.postcode.bytes, body.postcode.size, 0, 1, &view) == 1);
	}
	orders_free(orders);
}

static void read_state(const uint8_t *bytes, size_t size, uint64_t initial_count)
{
	struct orders *orders = orders_new(100000);
	char error[256] = "";
	uint64_t next;

	if (!orders_decode(orders, initial_count, bytes, size, error, sizeof error)) {
		must(error[0] != '\0');
	} else {
		uint8_t *again = malloc(size + 1);

		must(orders_bytes(orders) == size);
		must(orders_encode(orders, 0, orders_op(orders), &next, again, size + 1) == size);
		must(size == 0 || memcmp(again, bytes, size) == 0);
		free(again);
	}
	orders_free(orders);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = {bytes, size};
	uint8_t mode = fuzz_u8(&input);

	if (mode % 2 == 0)
		read_body(input.at, input.left);
	else
		read_state(input.at, input.left, mode / 2);
}
