/* What is folded from the operations, beside the client table: the indexes that operations and queries need. */
#pragma once

#include "server/machine/operation.h"

struct postcode_orders;

struct postcode_orders *shop_postcode_orders(const struct shop *shop);
