/* What a text of an order may be, the name of a customer or an item: stored for good, shown on terminals, read by people.
 * One judgement with one message for the command line, order files, initial orders, the front-end and the primary: whoever
 * speaks RPC himself hears the same. Texts are kept as they were typed, blanks around them too. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ORDER_TEXT_ERROR_SIZE 320

/* UTF-8 without control characters, size_max bytes at most, with something in it that can be seen. what: "item 2". False
 * with one line in error, in which nothing is invisible. */
bool order_text_good(const char *what, const char *bytes, size_t size, size_t size_max,
		     char error[static ORDER_TEXT_ERROR_SIZE]);

/* The same with the limits of an order. Items are counted from 1. A customer may be empty: nobody was named. */
bool order_item_good(size_t number, const char *bytes, size_t size, char error[static ORDER_TEXT_ERROR_SIZE]);
bool order_customer_good(const char *bytes, size_t size, char error[static ORDER_TEXT_ERROR_SIZE]);
