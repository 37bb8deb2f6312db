/* history: the newest orders to a postcode, oldest first, read in pages from the newest backwards. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/layout.h"
#include "client/local_time.h"
#include "client/output.h"
#include "client/session.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/terminal.h"

#define LIMIT_DEFAULT 20
#define ITEMS_INDENT 6 /* of items that do not fit behind the time */

struct history_command {
	char *postcode;
	uint64_t limit; /* 0: all */
};

enum { KEY_LIMIT = 0x200 };

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct history_command *command = state->input;

	switch (key) {
	case KEY_LIMIT:
		return command_number(state, "--limit", text, 0, UINT32_MAX, &command->limit) ? 0 : EINVAL;
	case ARGP_KEY_ARG:
		if (!command->postcode) {
			command->postcode = text;
			return 0;
		}
		if (text_postcode_halves(command->postcode, text))
			argp_error(state, "too many arguments: did you mean \"%s %s\"? quote the postcode",
				   command->postcode, text);
		else
			argp_error(state, "too many arguments: quote the postcode");
		return EINVAL;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which POSTCODE?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"limit", KEY_LIMIT, "N", 0, "The newest N orders (20); 0: all", 0},
	{0},
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "POSTCODE",
	.doc = "Shows the newest orders to a postcode, the oldest of them first.\v"
	       "No orders are no error. What is shown includes every order that was acknowledged before. #N counts the "
	       "orders to that postcode; op N is the order's place among all, as status, logs and JSON name it. Times "
	       "are local, with the offset from UTC; with --json they are UTC.",
};

/* --- reading ---------------------------------------------------------------------------------------------------- */

/* Pages in order of arrival: the newest orders first, rising within a page. */
struct pages {
	struct jh_read_result *page;
	size_t count;
	uint64_t orders;
};

static const struct jh_history *history_of(const struct jh_read_result *page)
{
	return &page->jh_read_result_u.done.answer.jh_query_answer_u.history;
}

static void free_pages(struct pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		xdr_free((xdrproc_t)xdr_jh_read_result, &pages->page[i]);
	free(pages->page);
}

/* The totals that a page claims are checked: a wrong one must not make us ask forever. */
static bool plausible(const struct jh_history *history, uint32_t before)
{
	uint32_t last = 0;

	for (u_int i = 0; i < history->orders.orders_len; i++) {
		uint32_t number = history->orders.orders_val[i].number;

		if (number <= last || (before && number >= before))
			return false;
		last = number;
	}
	return true;
}

static enum outcome read_pages(struct session *session, const struct history_command *command, struct pages *pages,
			       char error[static SESSION_ERROR_SIZE])
{
	uint64_t wanted = command->limit ? command->limit : UINT64_MAX;
	struct jh_read_args args = {.query = {.kind = JH_QUERY_HISTORY}};
	struct jh_history_query *query = &args.query.jh_query_u.history;

	query->postcode.postcode_val = command->postcode;
	query->postcode.postcode_len = (u_int)strlen(command->postcode);
	do {
		uint64_t left = wanted - pages->orders;
		const struct jh_history *history;
		enum outcome outcome;

		query->limit = left < JH_PAGE_MAX ? (u_int)left : JH_PAGE_MAX;
		pages->page = reallocarray(pages->page, pages->count + 1, sizeof *pages->page);
		must(pages->page);
		outcome = session_read(session, &args, &pages->page[pages->count], error);
		if (outcome != OUTCOME_DONE)
			return outcome;
		history = history_of(&pages->page[pages->count++]);
		pages->orders += history->orders.orders_len;
		if (!plausible(history, query->before)) {
			snprintf(error, SESSION_ERROR_SIZE,
				 "the front-end's answer makes no sense: order numbers do not rise");
			return OUTCOME_UNAVAILABLE;
		}
		if (!history->orders.orders_len)
			return OUTCOME_DONE;
		query->before = history->orders.orders_val[0].number;
	} while (query->before > 1 && pages->orders < wanted);
	return OUTCOME_DONE;
}

/* --- output ----------------------------------------------------------------------------------------------------- */

static json_t *json_order(const struct jh_history_order *order)
{
	json_t *object = json_object(), *items = json_array();

	for (u_int i = 0; i < order->items.items_len; i++)
		json_array_append_new(items, output_text(order->items.items_val[i].jh_item_val,
							 order->items.items_val[i].jh_item_len));
	json_object_set_new(object, "number", output_number(order->number));
	json_object_set_new(object, "op", output_number(order->op));
	json_object_set_new(object, "time", output_time(order->time_us));
	json_object_set_new(object, "customer",
			    output_text(order->customer.customer_val, order->customer.customer_len));
	json_object_set_new(object, "items", items);
	json_object_set_new(object, "client", output_uuid(order->client));
	json_object_set_new(object, "request", output_number(order->request));
	return object;
}

static void show_json(const struct pages *pages)
{
	const struct jh_history *newest = history_of(&pages->page[0]);
	json_t *object = json_object(), *orders = json_array();

	for (size_t i = pages->count; i-- > 0;)
		for (u_int k = 0; k < history_of(&pages->page[i])->orders.orders_len; k++)
			json_array_append_new(orders, json_order(&history_of(&pages->page[i])->orders.orders_val[k]));
	json_object_set_new(object, "postcode",
			    output_text(newest->postcode.postcode_val, newest->postcode.postcode_len));
	json_object_set_new(object, "total", output_number(newest->total));
	json_object_set_new(object, "op", output_number(pages->page[0].jh_read_result_u.done.basis.op));
	json_object_set_new(object, "orders", orders);
	output_json_take(object);
}

/* ops_width: columns needed by the highest op. */
static void print_order(FILE *out, const struct jh_history_order *order, int ops_width)
{
	char time[LOCAL_TIME_SIZE] = "at the start", op[32] = "-", *customer, *item;

	if (order->time_us)
		local_time(order->time_us, time); /* without microseconds, for readability */
	if (order->op)
		snprintf(op, sizeof op, "op %" PRIu64, order->op);
	fprintf(out, "  #%-5u %-*s  %-25s  ", order->number, ops_width, op, time);
	for (u_int i = 0; i < order->items.items_len; i++) {
		item = text_escape(order->items.items_val[i].jh_item_val, order->items.items_val[i].jh_item_len);
		fprintf(out, "%s%s", i ? ", " : "", item);
		free(item);
	}
	if (order->customer.customer_len) {
		customer = text_escape(order->customer.customer_val, order->customer.customer_len);
		fprintf(out, "  (for %s)", customer);
		free(customer);
	}
}

static void show_order(const struct jh_history_order *order, int ops_width)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	must_allocate(out);
	print_order(out, order, ops_width);
	if (fclose(out) != 0)
		shortage_of_memory(__func__);
	layout_words(stdout, line, terminal_columns(STDOUT_FILENO), ITEMS_INDENT);
	free(line);
}

static void show_text(const struct pages *pages)
{
	const struct jh_history *newest = history_of(&pages->page[0]);
	char *postcode = text_escape(newest->postcode.postcode_val, newest->postcode.postcode_len);
	u_int newest_count = newest->orders.orders_len;
	int ops_width = newest_count ? snprintf(NULL, 0, "op %" PRIu64, newest->orders.orders_val[newest_count - 1].op) : 0;

	if (!newest->total)
		printf("%s: no orders\n", postcode);
	else if (pages->orders < newest->total)
		printf("%s: %u orders, the newest %llu (--limit 0 shows all)\n", postcode, newest->total,
		       (unsigned long long)pages->orders);
	else
		printf("%s: %u order%s\n", postcode, newest->total, newest->total == 1 ? "" : "s");
	for (size_t i = pages->count; i-- > 0;)
		for (u_int k = 0; k < history_of(&pages->page[i])->orders.orders_len; k++)
			show_order(&history_of(&pages->page[i])->orders.orders_val[k], ops_width);
	free(postcode);
}

int command_history(struct client_options options, int argc, char **argv)
{
	struct history_command command = {.limit = LIMIT_DEFAULT};
	struct pages pages = {0};
	struct session *session;
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome;
	int status;

	if (!command_parse(&argp, &options, argc, argv, &command, &status))
		return status;
	if (strlen(command.postcode) > JH_POSTCODE_MAX) {
		snprintf(error, sizeof error, "invalid postcode: it is longer than %d bytes", JH_POSTCODE_MAX);
		return output_problem(&options, OUTCOME_REFUSED, error);
	}
	session = session_new(&options);
	outcome = read_pages(session, &command, &pages, error);
	if (outcome != OUTCOME_DONE)
		status = output_problem(&options, outcome, error);
	else if (options.json)
		show_json(&pages);
	else
		show_text(&pages);
	free_pages(&pages);
	session_free(session);
	return outcome == OUTCOME_DONE ? EXIT_DONE : status;
}
