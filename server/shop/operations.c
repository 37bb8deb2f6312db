/* The kinds of operation that there are: a new one is a row here and two files beside it. */
#include "server/machine/operation.h"
#include "server/shop/order.h"
#include "server/shop/void.h"

const struct operation *const operation_table[] = {
	&order_operation,
	&void_operation,
};
const uint32_t operation_table_size = sizeof operation_table / sizeof operation_table[0];
