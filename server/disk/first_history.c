/* What a replica begins with in a new directory: the orders it was loaded with, as its first snapshot. */
#include "rpc/base/must.h"
#include "server/shop/initial_orders.h"
#include "server/node.h"
#include "server/disk/snapshot.h"

static bool load_order(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return orders_load_initial(context, body, size, error, error_size);
}

static void load_initial(struct node *node)
{
	char error[INITIAL_ORDERS_ERROR_SIZE];
	bool loaded;

	orders_free(node->orders);
	node->orders = orders_new(node->options.orders_max + ROOM_FOR_LOADED);
	if (node->options.initial_orders != NULL)
		loaded = initial_orders_load(node->options.initial_orders, load_order, node->orders, error,
					     sizeof error);
	else
		loaded = initial_orders_built_in(load_order, node->orders, error, sizeof error);
	if (!loaded)
		recovery_refuse(error);
}

/* The history to begin with is written down before anything refers to it: at the next start the options, or the
 * orders that are compiled in, may be others. */
void first_history_begin(struct node *node)
{
	const struct snapshot_pace at_once = {0};
	struct snapshot_summary summary;
	char error[SNAPSHOT_ERROR_SIZE];

	load_initial(node);
	summary = (struct snapshot_summary){.initial_count = orders_initial_count(node->orders),
					    .digest = orders_digest(node->orders)};
	if (snapshot_write(node->options.data_dir, node->orders, &summary, &at_once, error, sizeof error) !=
	    SNAPSHOT_WRITTEN)
		recovery_refuse(error);
}
