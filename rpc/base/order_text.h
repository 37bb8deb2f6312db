/* Validation of the texts of an order, a customer's name or an item: they are stored for good, shown on terminals and
 * read by people. The same check with the same message serves the command line, order files, initial orders, the
 * front-end and the primary, so that direct RPC clients get it, too. Texts are kept as they were typed, including
 * surrounding blanks. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ORDER_TEXT_ERROR_SIZE 320

/* UTF-8 without control characters, size_max bytes at most, with at least one visible character. what: "item 2". False
 * with one line in error, which contains nothing invisible. */
bool order_text_good(const char *what, const char *bytes, size_t size, size_t size_max,
		     char error[static ORDER_TEXT_ERROR_SIZE]);

/* The same with the limits of an order. Items are counted from 1. A customer may be empty: none was named. */
bool order_item_good(size_t number, const char *bytes, size_t size, char error[static ORDER_TEXT_ERROR_SIZE]);
bool order_customer_good(const char *bytes, size_t size, char error[static ORDER_TEXT_ERROR_SIZE]);
