/* An order as typed, checked before anything is sent: every mistake is named with its limit. Pure. Postcodes are
 * validated by the replicas; here they are refused only when they cannot be sent. */
#pragma once

#include <stddef.h>

#include "rpc/shop.h"

#define ORDER_WORDS_MAX (1 + JH_ITEMS_MAX + 1) /* one more than allowed, to detect an excess */
#define ORDER_ERROR_SIZE 512

struct order_input {
	const char *postcode;
	const char *items[JH_ITEMS_MAX];
	size_t items_count;
};

enum order_mistake {
	ORDER_FINE = 0,
	ORDER_MISUSED,         /* exit status 2 */
	ORDER_INVALID_POSTCODE /* exit status 3 */
};

/* words: POSTCODE ITEM...; count may exceed ORDER_WORDS_MAX, words beyond it are not read. customer may be NULL. Input
 * borrows the words. On a mistake one line is in error. */
enum order_mistake order_input_from_words(const char *const *words, size_t count, const char *customer,
					  struct order_input *input, char error[static ORDER_ERROR_SIZE]);

/* line: POSTCODE<TAB>ITEM<TAB>ITEM..., size bytes and a NUL; it is split in place, and borrowed by input. */
enum order_mistake order_input_from_line(char *line, size_t size, const char *customer, struct order_input *input,
					 char error[static ORDER_ERROR_SIZE]);
