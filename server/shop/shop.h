/* The indexes that operations and queries need, folded from the operations like the client table. */
#pragma once

#include "server/machine/operation.h"

struct postcode_orders;

struct postcode_orders *shop_postcode_orders(const struct shop *shop);
