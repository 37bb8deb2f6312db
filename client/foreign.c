#include "client/foreign.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client/workload.h"

/* bench uses its postcodes in turn, so a run this long without an order means that it used none beyond. */
#define EMPTY_POSTCODES_MAX 1000u

struct tally {
	bool begun;
	uint64_t op;  /* of the first answer: the number of orders placed */
	uint64_t own; /* those of bench, as far as they were seen */
};

static void count_page(struct tally *tally, const struct jh_history *history)
{
	for (u_int i = 0; i < history->orders.orders_len; i++) {
		const struct jh_history_order *order = &history->orders.orders_val[i];

		if (order->op > 0 && order->op <= tally->op)
			tally->own += workload_is_own(order);
	}
}

/* Reads the whole history of one postcode, the newest first. *before: 0 at the start, and again at the end. */
static enum outcome read_page(struct session *session, struct tally *tally, const char *postcode, uint32_t *before,
			      bool *any, char error[static SESSION_ERROR_SIZE])
{
	struct jh_read_args args = {.query = {.kind = JH_QUERY_HISTORY}};
	struct jh_history_query *query = &args.query.jh_query_u.history;
	struct jh_read_result result;
	const struct jh_history *history = &result.jh_read_result_u.done.answer.jh_query_answer_u.history;
	enum outcome outcome;
	uint32_t first;

	query->postcode.postcode_val = (char *)postcode;
	query->postcode.postcode_len = (u_int)strlen(postcode);
	query->before = *before;
	query->limit = JH_PAGE_MAX;
	outcome = session_read(session, &args, &result, error);
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!tally->begun)
		tally->op = result.jh_read_result_u.done.basis.op;
	tally->begun = true;
	count_page(tally, history);
	*any |= history->orders.orders_len > 0;
	first = history->orders.orders_len > 0 ? history->orders.orders_val[0].number : 1;
	if (*before && first >= *before) { /* would never end */
		snprintf(error, SESSION_ERROR_SIZE, "the front-end's answer makes no sense: order numbers do not rise");
		outcome = OUTCOME_UNAVAILABLE;
	}
	*before = first > 1 ? first : 0;
	xdr_free((xdrproc_t)xdr_jh_read_result, &result);
	return outcome;
}

enum outcome foreign_count(struct session *session, uint64_t *count, char error[static SESSION_ERROR_SIZE])
{
	struct tally tally = {.begun = false};
	uint32_t empty_count = 0;

	for (uint32_t i = 0; i < WORKLOAD_POSTCODES_MAX && empty_count < EMPTY_POSTCODES_MAX; i++) {
		char postcode[WORKLOAD_POSTCODE_SIZE];
		uint32_t before = 0;
		bool any = false;

		workload_postcode(i, postcode);
		do {
			enum outcome outcome = read_page(session, &tally, postcode, &before, &any, error);

			if (outcome != OUTCOME_DONE)
				return outcome;
		} while (before && tally.own < tally.op);
		if (tally.own >= tally.op)
			break;
		empty_count = any ? 0 : empty_count + 1;
	}
	*count = tally.op - tally.own;
	return OUTCOME_DONE;
}
