/* The operation "order": its row of the table of operations, and the index that it keeps. */
#pragma once

#include "server/machine/operation.h"

struct postcode_orders;

extern const struct operation order_operation;

struct postcode_orders *order_postcode_orders(const struct shop *shop);
