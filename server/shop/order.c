#include "server/shop/order.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/escape.h"
#include "rpc/base/must.h"
#include "rpc/base/order_text.h"
#include "rpc/base/postcode.h"
#include "rpc/base/shortage.h"
#include "rpc/shop.h"
#include "server/shop/order_encoding.h"
#include "server/shop/postcode_orders.h"
#include "server/shop/shop.h"
#include "server/shop/text_json.h"

static void *fold_new(const struct history *history, uint32_t entries_max)
{
	return postcode_orders_new(history, entries_max);
}

static void fold_free(void *fold)
{
	postcode_orders_free(fold);
}

static uint64_t fold_memory(const void *fold)
{
	return postcode_orders_memory(fold);
}

struct postcode_orders *order_postcode_orders(const struct shop *shop)
{
	return shop_fold(shop, &order_operation);
}

static bool is_canonical(const void *content, size_t size)
{
	struct order order;

	return order_parse(content, size, &order);
}

static void prefetch(const struct shop *shop, const struct body *body)
{
	postcode_orders_prefetch(order_postcode_orders(shop), order_postcode(body->content, body->content_size));
}

/* What it changes is the number of orders to its postcode. */
static void apply(struct shop *shop, uint32_t entry, const struct body *body, struct outcome *outcome)
{
	struct text_span postcode = order_postcode(body->content, body->content_size);

	outcome_value(outcome, postcode_orders_add(order_postcode_orders(shop), entry, postcode));
}

static struct text_span text_of(const char *bytes, u_int size)
{
	return (struct text_span){.bytes = bytes, .size = size};
}

/* Whether each text of the order is valid. If not, the order is declined once client table and log were consulted
 * (RULE 12), so that a repeat of an order which an older version placed still gets its answer. */
static void check_texts(const struct order *order, struct operation_problem *problem)
{
	char error[ORDER_TEXT_ERROR_SIZE];
	bool good = order_customer_good(order->customer.bytes, order->customer.size, error);

	for (uint32_t i = 0; good && i < order->items_count; i++)
		good = order_item_good(i + 1, order->items[i].bytes, order->items[i].size, error);
	if (good)
		return;
	problem->reason = JH_REASON_BAD_REQUEST;
	snprintf(problem->text, sizeof problem->text, "%s", error);
}

static void check_postcode(const struct order *order, struct operation_problem *problem)
{
	char typed[ESCAPE_ROOM(LIMIT_POSTCODE_BYTES)];

	if (problem->reason != JH_REASON_NONE)
		return;
	problem->reason = JH_REASON_INVALID_POSTCODE;
	snprintf(problem->text, sizeof problem->text, "invalid postcode: %s (" POSTCODE_NO_FORM ")",
		 escape_into(typed, sizeof typed, order->postcode.bytes, order->postcode.size, ESCAPE_STRICT));
}

/* The front-end has checked the shape; what slips through has no body. */
static bool encode(const struct jh_operation *asked, struct encoder *content, struct operation_problem *problem)
{
	const jh_order *from = &asked->jh_operation_u.order;
	char postcode[POSTCODE_SIZE];
	bool good = postcode_normalise(from->postcode.postcode_val, from->postcode.postcode_len, postcode);
	struct order order = {.customer = text_of(from->customer.customer_val, from->customer.customer_len),
			      .items_count = from->items.items_len};

	order.postcode = good ? text_of(postcode, (u_int)strlen(postcode))
			      : text_of(from->postcode.postcode_val, from->postcode.postcode_len);
	if (order.items_count > LIMIT_ITEMS)
		return false;
	for (uint32_t i = 0; i < order.items_count; i++)
		order.items[i] = text_of(from->items.items_val[i].jh_item_val, from->items.items_val[i].jh_item_len);
	check_texts(&order, problem);
	if (!good)
		check_postcode(&order, problem);
	return order_encode(&order, content);
}

static struct text_span postcode(const struct body *body)
{
	return order_postcode(body->content, body->content_size);
}

static void answer(const struct shop *shop, uint64_t op, struct jh_operation_answer *to)
{
	struct order_view order;
	jh_order_placed *placed = &to->jh_operation_answer_u.order;

	to->kind = JH_OPERATION_ORDER;
	placed->op = op; /* RULE 8 */
	if (!postcode_orders_by_op(order_postcode_orders(shop), op, &order))
		return; /* forgotten: it is listed nowhere, and that it was done is all there is to tell */
	placed->postcode.postcode_val = (char *)(uintptr_t)order.order.postcode.bytes;
	placed->postcode.postcode_len = order.order.postcode.size;
	placed->number = order.number;
	placed->time_us = order.time_us;
	placed->check = (jh_check)order.check;
}

static void show(const struct body *body, struct json_t *object)
{
	json_t *items = json_array();
	struct order order;

	must_allocate(items);
	must(order_parse(body->content, body->content_size, &order));
	for (uint32_t i = 0; i < order.items_count; i++)
		json_array_append_new(items, text_json(order.items[i]));
	json_object_set_new(object, "customer", text_json(order.customer));
	json_object_set_new(object, "postcode", text_json(order.postcode));
	json_object_set_new(object, "items", items);
}

const struct operation order_operation = {
	.kind = JH_OPERATION_ORDER,
	.first_format = 3,
	.name = "order",
	.fold_new = fold_new,
	.fold_free = fold_free,
	.fold_memory = fold_memory,
	.is_canonical = is_canonical,
	.prefetch = prefetch,
	.apply = apply,
	.encode = encode,
	.postcode = postcode,
	.answer = answer,
	.show = show,
};
