#include "server/disk/first_history.h"

#include "server/disk/recovery.h"
#include "server/disk/snapshot.h"
#include "server/machine/orders.h"
#include "server/shop/initial_orders.h"

static bool load_order(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return orders_load_initial(context, body, size, error, error_size);
}

static void load(struct orders *orders, const char *initial_orders)
{
	char error[INITIAL_ORDERS_ERROR_SIZE];
	bool loaded;

	if (initial_orders != NULL)
		loaded = initial_orders_load(initial_orders, load_order, orders, error, sizeof error);
	else
		loaded = initial_orders_built_in(load_order, orders, error, sizeof error);
	if (!loaded)
		recovery_refuse(error);
}

struct orders *first_history_begin(const char *data_dir, const char *initial_orders, uint64_t orders_max)
{
	const struct snapshot_pace at_once = {0};
	struct orders *orders = orders_new(orders_max + ORDERS_LOADED_MAX);
	struct snapshot_summary summary;
	char error[SNAPSHOT_ERROR_SIZE];

	load(orders, initial_orders);
	summary = (struct snapshot_summary){.initial_count = orders_initial_count(orders),
					    .digest = orders_digest(orders)};
	if (snapshot_write(data_dir, orders, &summary, &at_once, error, sizeof error) != SNAPSHOT_WRITTEN)
		recovery_refuse(error);
	return orders;
}
