/* Encoded operations, by hand and by rpcgen, and the order-history state made of them: the contents of pushes,
 * journals and snapshots.
 *
 * Input: a byte of mode. Even: the rest is one body. Odd: the rest is a state (history_encode) whose first mode / 2
 * orders are loaded ones. An accepted body has only one encoding, and a decoded state encodes to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/shop.h"
#include "server/machine/machine.h"
#include "server/shop/order.h"
#include "server/shop/postcode_orders.h"

static void read_body(const uint8_t *bytes, size_t size)
{
	static uint8_t encoded[LIMIT_BODY_BYTES];
	struct machine *machine = machine_new(10);
	struct body body;
	struct uuid client;
	struct digest content;
	uint64_t request, op;
	int64_t time_us;
	struct order order;
	bool good = operation_parse(bytes, size, &body) != NULL;

	must(operation_key(bytes, size, &client, &request, &content, &time_us) == good);
	must((machine_apply(machine, bytes, size) == MACHINE_APPLIED) == good);
	if (good) {
		struct order_view view;
		const struct postcode_orders *orders = order_postcode_orders(machine_shop(machine));

		must(order_parse(body.content, body.content_size, &order));
		must(size <= sizeof encoded);
		must(order_encode_body(&body, &order, encoded, sizeof encoded) == size);
		must(memcmp(encoded, bytes, size) == 0);
		must(machine_apply(machine, bytes, size) == MACHINE_APPLIED);
		must(machine_outcome(machine, 2).result == OUTCOME_PASSED);
		must(machine_lookup(machine, client, request, content, &op) == CLIENT_DECIDED);
		must(op == 1);
		must(postcode_orders_by_op(orders, op, &view));
		must(view.order.items_count == order.items_count);
		must(postcode_orders_list(orders, order.postcode.bytes, order.postcode.size, 0, 1, &view) == 1);
	}
	machine_free(machine);
}

static void read_state(const uint8_t *bytes, size_t size, uint64_t initial_count)
{
	struct machine *machine = machine_new(100000);
	char error[256] = "";
	uint64_t next;

	if (!machine_decode(machine, initial_count, bytes, size, error, sizeof error)) {
		must(error[0] != '\0');
	} else {
		uint8_t *again = malloc(size + 1);

		must(history_bytes(machine_history(machine)) == size);
		must(history_encode(machine_history(machine), 0, machine_op(machine), &next, again, size + 1) == size);
		must(size == 0 || memcmp(again, bytes, size) == 0);
		free(again);
	}
	machine_free(machine);
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
