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

/* What was read is an order that is listed under its postcode. */
static void look_at_order(const struct machine *machine, const struct body *body)
{
	const struct postcode_orders *orders = order_postcode_orders(machine_shop(machine));
	struct order order;
	struct order_view view;

	must(order_parse(body->content, body->content_size, &order));
	must(postcode_orders_by_op(orders, 1, &view) == !body->forgotten);
	if (body->forgotten)
		return;
	must(view.order.items_count == order.items_count);
	must(postcode_orders_list(orders, order.postcode.bytes, order.postcode.size, 0, 1, &view) == 1);
}

/* The body is applied, and once more in vain. Its bytes are the only ones that stand for it. */
static void look_at(struct machine *machine, const uint8_t *bytes, size_t size, const struct body *body)
{
	static uint8_t encoded[LIMIT_BODY_BYTES];
	struct encoder encoder = {.at = encoded, .left = sizeof encoded};
	uint64_t op;

	body_encode_head(body, &encoder);
	encoder_bytes(&encoder, body->content, body->content_size);
	must(!encoder.failed && sizeof encoded - encoder.left == size && memcmp(encoded, bytes, size) == 0);
	must(machine_apply(machine, bytes, size) == MACHINE_APPLIED);
	must(machine_outcome(machine, 2).result == OUTCOME_PASSED);
	must(machine_lookup(machine, body->client, body->request, body_content_digest(body), &op) == CLIENT_DECIDED);
	must(op == 1);
	if (body->kind == ORDER_KIND)
		look_at_order(machine, body);
}

static void read_body(const uint8_t *bytes, size_t size)
{
	struct machine *machine = machine_new(10);
	struct body body;
	bool good = operation_parse(bytes, size, &body) != NULL;

	must(operation_key(bytes, size, NULL, NULL, NULL, NULL) == good);
	must((machine_apply(machine, bytes, size) == MACHINE_APPLIED) == good);
	if (good)
		look_at(machine, bytes, size, &body);
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
