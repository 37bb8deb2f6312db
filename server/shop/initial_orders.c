#include "server/shop/initial_orders.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/escape.h"
#include "rpc/base/format.h"
#include "rpc/base/lines.h"
#include "rpc/base/must.h"
#include "rpc/base/order_text.h"
#include "rpc/base/postcode.h"
#include "server/shop/order_encoding.h"

static struct text_span text_of(const char *text)
{
	return (struct text_span){.bytes = text, .size = (uint32_t)strlen(text)};
}

static bool give(const struct order *order, initial_orders_take *take, void *context, char *error, size_t error_size)
{
	uint8_t bytes[LIMIT_BODY_BYTES];
	size_t size = order_encode_body(&(struct body){.format = FORMAT_LOW}, order, bytes, sizeof bytes);

	must(size > 0);
	return take(context, bytes, size, error, error_size);
}

bool initial_orders_built_in(initial_orders_take *take, void *context, char *error, size_t error_size)
{
	static const char *const orders[][3] = {
		{"DH1 3LE", "burger", "fries"},
		{"DH1 3LE", "pizza"},
		{"DH1 3LG", "fried chicken", "chips"},
		{"DH1 3LG", "vegetables"},
	};

	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		struct order order = {.postcode = text_of(orders[i][0])};

		for (size_t item = 1; item < 3 && orders[i][item] != NULL; item++)
			order.items[order.items_count++] = text_of(orders[i][item]);
		if (!give(&order, take, context, error, error_size))
			return false;
	}
	return true;
}

/* Cuts off and returns the text before the next tab; false at the end of the line. */
static bool take_field(struct text_span *line, bool *ended, struct text_span *field)
{
	if (*ended)
		return false;

	const char *tab = memchr(line->bytes, '\t', line->size);

	*ended = tab == NULL;
	*field = *line;
	if (tab != NULL) {
		field->size = (uint32_t)(tab - line->bytes);
		line->bytes = tab + 1;
		line->size -= field->size + 1;
	}
	return true;
}

struct problem {
	char *text;
	size_t size; /* at least ORDER_TEXT_ERROR_SIZE */
};

#define EXPECTED "POSTCODE<TAB>customer<TAB>item..."

static bool parse_items(struct text_span *line, bool *ended, struct order *order, struct problem problem)
{
	struct text_span item;

	while (take_field(line, ended, &item)) {
		if (order->items_count == LIMIT_ITEMS) {
			snprintf(problem.text, problem.size, "more than %d items", LIMIT_ITEMS);
			return false;
		}
		if (!order_item_good(order->items_count + 1, item.bytes, item.size, problem.text))
			return false;
		order->items[order->items_count++] = item;
	}
	if (order->items_count == 0)
		snprintf(problem.text, problem.size, "no items: expected " EXPECTED);
	return order->items_count > 0;
}

static bool parse_line(struct text_span line, char postcode[static POSTCODE_SIZE], struct order *order,
		       struct problem problem)
{
	bool ended = false;
	struct text_span typed;

	*order = (struct order){0};
	take_field(&line, &ended, &typed);
	if (ended) {
		snprintf(problem.text, problem.size, "no tab: expected " EXPECTED);
		return false;
	}
	if (!postcode_normalise(typed.bytes, typed.size, postcode)) {
		char shown[ESCAPE_ROOM(LIMIT_POSTCODE_BYTES)];

		snprintf(problem.text, problem.size, "invalid postcode: %s (" POSTCODE_NO_FORM ")",
			 escape_into(shown, sizeof shown, typed.bytes, typed.size, ESCAPE_STRICT));
		return false;
	}
	order->postcode = text_of(postcode);
	order->customer = text_of("");
	if (take_field(&line, &ended, &order->customer) &&
	    !order_customer_good(order->customer.bytes, order->customer.size, problem.text))
		return false;
	return parse_items(&line, &ended, order, problem);
}

static bool load_line(const struct line *line, initial_orders_take *take, void *context, struct problem problem)
{
	struct text_span text = {.bytes = line->text, .size = (uint32_t)line->size};
	char postcode[POSTCODE_SIZE];
	struct order order;

	return parse_line(text, postcode, &order, problem) && give(&order, take, context, problem.text, problem.size);
}

static bool load_lines(FILE *file, const char *path, initial_orders_take *take, void *context, char *error,
		       size_t error_size)
{
	struct lines *lines = lines_new(file);
	struct line line;
	char problem[ORDER_TEXT_ERROR_SIZE];
	enum lines_found found;
	bool good = true;

	while (good && (found = lines_next(lines, &line)) != LINES_END) {
		good = found == LINES_ONE &&
		       load_line(&line, take, context, (struct problem){problem, sizeof problem});
		if (found == LINES_FAILED)
			snprintf(error, error_size, "cannot read the initial orders %s: %s", path, strerror(errno));
		else if (!good)
			snprintf(error, error_size, "%s:%" PRIu64 ": %s", path, line.number,
				 found == LINES_REFUSED ? line.error : problem);
	}
	lines_free(lines);
	return good;
}

bool initial_orders_load(const char *path, initial_orders_take *take, void *context, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (file == NULL) {
		snprintf(error, error_size, "cannot open the initial orders %s: %s", path, strerror(errno));
		return false;
	}
	good = load_lines(file, path, take, context, error, error_size);
	fclose(file);
	return good;
}
