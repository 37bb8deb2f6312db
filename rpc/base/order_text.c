#include "rpc/base/order_text.h"

#include <stdint.h>
#include <stdio.h>

#include "rpc/base/escape.h"
#include "rpc/base/limits.h"
#include "rpc/base/utf8.h"

#define EXCERPT_BYTES 24 /* shown before the fault, and from there on */
#define EXCERPT_SIZE ESCAPE_ROOM(2 * EXCERPT_BYTES)

/* The position of the first character that no text may contain. */
static size_t first_fault(const char *bytes, size_t size)
{
	size_t at = 0, taken;
	uint32_t character;

	while (at < size && (taken = utf8_take((const uint8_t *)bytes + at, size - at, &character)) > 0 &&
	       utf8_valid_text(bytes + at, taken))
		at += taken;
	return at;
}

/* The text around `fault`, cut between characters. */
static const char *excerpt(const char *bytes, size_t size, size_t fault, char out[static EXCERPT_SIZE])
{
	size_t from = fault > EXCERPT_BYTES ? fault - EXCERPT_BYTES : 0;
	size_t to = size - fault > EXCERPT_BYTES ? fault + EXCERPT_BYTES : size;

	while (from > 0 && from < fault && (bytes[from] & 0xc0) == 0x80)
		from++;
	while (to < size && to > fault + 1 && (bytes[to] & 0xc0) == 0x80)
		to--;
	return escape_into(out, EXCERPT_SIZE, bytes + from, to - from, ESCAPE_STRICT);
}

bool order_text_good(const char *what, const char *bytes, size_t size, size_t size_max,
		     char error[static ORDER_TEXT_ERROR_SIZE])
{
	char shown[EXCERPT_SIZE];

	if (size == 0)
		snprintf(error, ORDER_TEXT_ERROR_SIZE, "%s is empty", what);
	else if (size > size_max)
		snprintf(error, ORDER_TEXT_ERROR_SIZE, "%s is too long: %zu bytes, the limit is %zu", what, size, size_max);
	else if (!utf8_valid_text(bytes, size))
		snprintf(error, ORDER_TEXT_ERROR_SIZE,
			 "%s is not text: it must be UTF-8 without control characters: \"%s\"", what,
			 excerpt(bytes, size, first_fault(bytes, size), shown));
	else if (utf8_blank(bytes, size))
		snprintf(error, ORDER_TEXT_ERROR_SIZE, "%s is blank, nothing of it can be seen: \"%s\"", what,
			 excerpt(bytes, size, 0, shown));
	else
		return true;
	return false;
}

bool order_item_good(size_t number, const char *bytes, size_t size, char error[static ORDER_TEXT_ERROR_SIZE])
{
	char what[32];

	snprintf(what, sizeof what, "item %zu", number);
	return order_text_good(what, bytes, size, LIMIT_ITEM_BYTES, error);
}

bool order_customer_good(const char *bytes, size_t size, char error[static ORDER_TEXT_ERROR_SIZE])
{
	return size == 0 || order_text_good("the customer's name", bytes, size, LIMIT_CUSTOMER_BYTES, error);
}
