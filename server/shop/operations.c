/* The kinds of operation that there are. A new one is a row here and two files beside it. */
#include "server/machine/operation.h"
#include "server/shop/order.h"

const struct operation operation_table[] = {
	{.kind = ORDER_KIND, .name = "order", .is_canonical = order_is_canonical, .apply = order_apply},
};
const uint32_t operation_table_size = sizeof operation_table / sizeof operation_table[0];
