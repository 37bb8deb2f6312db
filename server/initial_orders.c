#include "server/initial_orders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/utf8.h"
#include "server/body.h"
#include "server/postcode.h"

/* A line of the longest texts, its tabs, and the end of the line. */
#define LINE_BYTES (LIMIT_POSTCODE_BYTES + 1 + LIMIT_CUSTOMER_BYTES + LIMIT_ITEMS * (1 + LIMIT_ITEM_BYTES) + 2)

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
	size_t size;
};

static bool check_field(struct order_text field, const char *what, uint32_t limit, struct problem problem)
{
	if (field.size > limit)
		snprintf(problem.text, problem.size, "the %s has %u bytes, at most %u are allowed", what, field.size,
			 limit);
	else if (!utf8_valid_text(field.bytes, field.size))
		snprintf(problem.text, problem.size, "the %s is not UTF-8 text without control characters", what);
	else
		return true;
	return false;
}

#define EXPECTED "POSTCODE<TAB>customer<TAB>item..."

static bool parse_items(struct order_text *line, bool *ended, struct body *body, struct problem problem)
{
	struct order_text item;

	while (take_field(line, ended, &item)) {
		if (body->items_count == LIMIT_ITEMS) {
			snprintf(problem.text, problem.size, "more than %d items", LIMIT_ITEMS);
			return false;
		}
		if (item.size == 0) {
			snprintf(problem.text, problem.size, "item %u is empty", body->items_count + 1);
			return false;
		}
		if (!check_field(item, "item", LIMIT_ITEM_BYTES, problem))
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
	if (!check_field(typed, "postcode", LIMIT_POSTCODE_BYTES, problem))
		return false;
	if (!postcode_normalise(typed.bytes, typed.size, postcode)) {
		snprintf(problem.text, problem.size, "invalid postcode: %.*s", (int)typed.size, typed.bytes);
		return false;
	}
	body->postcode = text_of(postcode);
	body->customer = text_of("");
	if (take_field(&line, &ended, &body->customer) &&
	    !check_field(body->customer, "customer", LIMIT_CUSTOMER_BYTES, problem))
		return false;
	return parse_items(&line, &ended, body, problem);
}

/* Reads a line without its end into text. Returns its size, -1 at the end of the file, -2 when it is too long. */
static int read_line(FILE *file, char text[static LINE_BYTES])
{
	int size = 0, c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (size == LINE_BYTES)
			return -2;
		text[size++] = (char)c;
	}
	if (c == EOF && size == 0)
		return -1;
	return size > 0 && text[size - 1] == '\r' ? size - 1 : size;
}

/* Gives the order of one line; a line without one is fine. */
static bool load_line(const char *text, int size, initial_orders_take *take, void *context, struct problem problem)
{
	struct order_text line = {.bytes = text, .size = (uint32_t)size};
	char postcode[POSTCODE_SIZE];
	struct body body;

	if (size == 0 || text[0] == '#')
		return true;
	return parse_line(line, postcode, &body, problem) && give(&body, take, context, problem.text, problem.size);
}

bool initial_orders_load(const char *path, initial_orders_take *take, void *context, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	char text[LINE_BYTES], problem_text[256];
	struct problem problem = {problem_text, sizeof problem_text};
	unsigned long line = 0;
	bool good = true;
	int size = 0;

	if (file == NULL) {
		snprintf(error, error_size, "cannot open the initial orders %s: %s", path, strerror(errno));
		return false;
	}
	errno = 0;
	while (good && (size = read_line(file, text)) != -1) {
		line++;
		if (size == -2)
			snprintf(problem_text, sizeof problem_text, "the line is longer than any order");
		good = size != -2 && load_line(text, size, take, context, problem);
	}
	if (!good)
		snprintf(error, error_size, "%s:%lu: %s", path, line, problem_text);
	else if (ferror(file)) {
		snprintf(error, error_size, "cannot read the initial orders %s: %s", path, strerror(errno));
		good = false;
	}
	fclose(file);
	return good;
}
