#include "server/queries.h"

#include <stdio.h>
#include <string.h>

#include "rpc/base/client_alias.h"
#include "rpc/base/escape.h"
#include "rpc/base/limits.h"
#include "rpc/base/postcode.h"
#include "rpc/cluster/convert.h"
#include "rpc/replica.h"
#include "server/machine/machine.h"
#include "server/shop/order.h"
#include "server/shop/postcode_orders.h"

static void fill_order(const struct order_view *from, struct uuid cluster, jh_item *items, jh_history_order *to)
{
	to->number = from->number;
	to->op = from->op;
	to->time_us = from->time_us;
	to->check = (jh_check)from->check;
	to->client = convert_uuid_to_wire(client_alias(cluster, from->client));
	to->request = from->request;
	to->customer.customer_val = (char *)(uintptr_t)from->order.customer.bytes;
	to->customer.customer_len = from->order.customer.size;
	to->items.items_val = items;
	to->items.items_len = from->order.items_count;
	for (uint32_t i = 0; i < from->order.items_count; i++) {
		items[i].jh_item_val = (char *)(uintptr_t)from->order.items[i].bytes;
		items[i].jh_item_len = from->order.items[i].size;
	}
}

static void answer_history(struct rpc_call *call, const struct answers_source *source, const jh_history_query *query,
			   const char *postcode)
{
	static struct order_view views[LIMIT_HISTORY_PAGE];
	static jh_history_order orders[LIMIT_HISTORY_PAGE];
	static jh_item items[LIMIT_HISTORY_PAGE][LIMIT_ITEMS];
	const struct postcode_orders *index = order_postcode_orders(machine_shop(source->machine));
	uint32_t size = (uint32_t)strlen(postcode);
	uint32_t limit = query->limit == 0 || query->limit > LIMIT_HISTORY_PAGE ? LIMIT_HISTORY_PAGE : query->limit;
	uint32_t count = postcode_orders_list(index, postcode, size, query->before, limit, views);
	jh_query_result result = {.result = {.outcome = JH_DONE}};
	jh_read_done *done = &result.result.jh_read_result_u.done;
	jh_history *answer = &done->answer.jh_query_answer_u.history;

	for (uint32_t i = 0; i < count; i++)
		fill_order(&views[i], source->cluster, items[i], &orders[i]);
	done->basis = answers_basis(source); /* RULE 8: the op this answer reflects */
	done->answer.kind = JH_QUERY_HISTORY;
	answer->postcode.postcode_val = (char *)(uintptr_t)postcode;
	answer->postcode.postcode_len = size;
	answer->total = postcode_orders_total(index, postcode, size);
	answer->orders.orders_val = orders;
	answer->orders.orders_len = count;
	rpc_call_reply(call, (xdrproc_t)xdr_jh_query_result, &result);
}

void queries_answer(struct rpc_call *call, const struct answers_source *source, const jh_query *query)
{
	const jh_history_query *history = &query->jh_query_u.history;
	char postcode[POSTCODE_SIZE];

	if (!postcode_normalise(history->postcode.postcode_val, history->postcode.postcode_len, postcode)) {
		char typed[ESCAPE_ROOM(LIMIT_POSTCODE_BYTES)], text[sizeof typed + 32 + sizeof POSTCODE_NO_FORM];

		escape_into(typed, sizeof typed, history->postcode.postcode_val, history->postcode.postcode_len,
			    ESCAPE_STRICT);
		snprintf(text, sizeof text, "invalid postcode: %s (" POSTCODE_NO_FORM ")", typed);
		answers_problem(call, source, true, JH_REFUSED, JH_REASON_INVALID_POSTCODE, text);
	} else {
		answer_history(call, source, history, postcode);
	}
}
