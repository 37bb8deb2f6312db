#include "server/shop/initial_orders.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/escape.h"
#include "rpc/base/lines.h"
#include "rpc/base/must.h"
#include "rpc/base/order_text.h"
#include "rpc/base/postcode.h"
#include "server/machine/body.h"

static struct order_text text_of(const char *text)
{
	return (struct order_text){.bytes = text, .size = (uint32_t)strlen(text)};
}

static bool give(const struct body *body, initial_orders_take *take, void *context, char *error, size_t error_size)
{
	uint8_t bytes[LIMIT_BODY_BYTES];
	size_t size = body_encode(body, bytes, sizeof bytes);

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
		struct body body = {.postcode = text_of(orders[i][0])};

		for (size_t item = 1; item < 3 && orders[i][item] != NULL; item++)
			body.items[body.items_count++] = text_of(orders[i][item]);
		if (!give(&body, take, context, error, error_size))
			return false;
	}
	return true;
}

/* Cuts off and returns what stands before the next tab; false when the line has ended. */
static bool take_field(struct order_text *line, bool *ended, struct order_text *field)
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

static bool parse_items(struct order_text *line, bool *ended, struct body *body, struct problem problem)
{
	struct order_text item;

	while (take_field(line, ended, &item)) {
		if (body->items_count == LIMIT_ITEMS) {
			snprintf(problem.text, problem.size, "more than %d items", LIMIT_ITEMS);
			return false;
		}
		if (!order_item_good(body->items_count + 1, item.bytes, item.size, problem.text))
			return false;
		body->items[body->items_count++] = item;
	}
	if (body->items_count == 0)
		snprintf(problem.text, problem.size, "no items: expected " EXPECTED);
	return body->items_count > 0;
}

static bool parse_line(struct order_text line, char postcode[static POSTCODE_SIZE], struct body *body,
		       struct problem problem)
{
	bool ended = false;
	struct order_text typed;

	*body = (struct body){0};
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
	body->postcode = text_of(postcode);
	body->customer = text_of("");
	if (take_field(&line, &ended, &body->customer) &&
	    !order_customer_good(body->customer.bytes, body->customer.size, problem.text))
		return false;
	return parse_items(&line, &ended, body, problem);
}

static bool load_line(const struct line *line, initial_orders_take *take, void *context, struct problem problem)
{
	struct order_text text = {.bytes = line->text, .size = (uint32_t)line->size};
	char postcode[POSTCODE_SIZE];
	struct body body;

	return parse_line(text, postcode, &body, problem) && give(&body, take, context, problem.text, problem.size);
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
