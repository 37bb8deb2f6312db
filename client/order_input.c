#include "client/order_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/text.h"
#include "rpc/base/escape.h"
#include "rpc/base/limits.h"
#include "rpc/base/order_text.h"
#include "rpc/base/utf8.h"

_Static_assert(ORDER_ERROR_SIZE >= ORDER_TEXT_ERROR_SIZE, "what order_text says fits");
_Static_assert(JH_ITEM_MAX == LIMIT_ITEM_BYTES && JH_CUSTOMER_MAX == LIMIT_CUSTOMER_BYTES, "one bound, two files");

static bool check_items(const struct order_input *input, char error[static ORDER_ERROR_SIZE])
{
	for (size_t i = 0; i < input->items_count; i++)
		if (!order_item_good(i + 1, input->items[i], strlen(input->items[i]), error))
			return false;
	return true;
}

/* If the postcode was forgotten, the message shows which word was taken for it. */
static void say_no_items(const char *postcode, char error[static ORDER_ERROR_SIZE])
{
	char shown[ESCAPE_ROOM(JH_POSTCODE_MAX)];
	size_t size = strlen(postcode);

	snprintf(error, ORDER_ERROR_SIZE,
		 "no items: \"%s\" is taken for the postcode, and 1 to %d items have to follow it: POSTCODE ITEM...",
		 escape_into(shown, sizeof shown, postcode, size < JH_POSTCODE_MAX ? size : JH_POSTCODE_MAX, ESCAPE_STRICT),
		 JH_ITEMS_MAX);
}

static enum order_mistake check_postcode(const char *postcode, char error[static ORDER_ERROR_SIZE])
{
	size_t size = strlen(postcode);
	char shown[ESCAPE_ROOM(JH_POSTCODE_MAX / 2)];

	/* A text too long for the wire is certainly no postcode; anything else is validated by the replicas. */
	if (size > JH_POSTCODE_MAX) {
		snprintf(error, ORDER_ERROR_SIZE, "invalid postcode: \"%s...\" is longer than %d bytes",
			 escape_into(shown, sizeof shown, postcode, JH_POSTCODE_MAX / 2, ESCAPE_STRICT), JH_POSTCODE_MAX);
		return ORDER_INVALID_POSTCODE;
	}
	if (utf8_valid_text(postcode, size) || order_text_good("the postcode", postcode, size, JH_POSTCODE_MAX, error))
		return ORDER_FINE;
	return ORDER_MISUSED;
}

enum order_mistake order_input_from_words(const char *const *words, size_t count, const char *customer,
					  struct order_input *input, char error[static ORDER_ERROR_SIZE])
{
	size_t items_count = count ? count - 1 : 0;
	enum order_mistake mistake;

	*input = (struct order_input){.postcode = count ? words[0] : ""};
	if (count > 1 && text_postcode_halves(words[0], words[1])) {
		snprintf(error, ORDER_ERROR_SIZE,
			 "invalid postcode: \"%s\": did you mean \"%s %s\"? quote the postcode", words[0], words[0],
			 words[1]);
		return ORDER_MISUSED;
	}
	if (!items_count) {
		say_no_items(input->postcode, error);
		return ORDER_MISUSED;
	}
	if (items_count > JH_ITEMS_MAX) {
		snprintf(error, ORDER_ERROR_SIZE, "too many items: %zu, the limit is %d", items_count, JH_ITEMS_MAX);
		return ORDER_MISUSED;
	}
	memcpy(input->items, words + 1, items_count * sizeof *words);
	input->items_count = items_count;
	mistake = check_postcode(input->postcode, error);
	if (mistake)
		return mistake;
	if (!check_items(input, error))
		return ORDER_MISUSED;
	if (customer && !order_customer_good(customer, strlen(customer), error))
		return ORDER_MISUSED;
	return ORDER_FINE;
}

enum order_mistake order_input_from_line(char *line, size_t size, const char *customer, struct order_input *input,
					 char error[static ORDER_ERROR_SIZE])
{
	const char *words[ORDER_WORDS_MAX];
	size_t count = 0;

	*input = (struct order_input){0};
	if (strlen(line) != size) {
		snprintf(error, ORDER_ERROR_SIZE, "byte %zu is a NUL", strlen(line) + 1);
		return ORDER_MISUSED;
	}
	while (line) {
		char *word = strsep(&line, "\t");

		if (count < ORDER_WORDS_MAX)
			words[count] = word;
		count++;
	}
	if (count == 1 && words[0][0]) {
		snprintf(error, ORDER_ERROR_SIZE,
			 "no items, for there is no tab: a tab stands behind the postcode and between items, "
			 "POSTCODE<TAB>ITEM<TAB>ITEM");
		return ORDER_MISUSED;
	}
	return order_input_from_words(words, count, customer, input, error);
}
