#include "server/disk/first_history.h"

#include "rpc/base/limits.h"
#include "server/disk/recovery.h"
#include "server/disk/snapshot.h"
#include "server/machine/machine.h"
#include "server/shop/initial_orders.h"

static bool load_order(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return machine_load(context, body, size, error, error_size);
}

static void load(struct machine *machine, const char *initial_orders)
{
	char error[INITIAL_ORDERS_ERROR_SIZE];
	bool loaded;

	if (initial_orders != NULL)
		loaded = initial_orders_load(initial_orders, load_order, machine, error, sizeof error);
	else
		loaded = initial_orders_built_in(load_order, machine, error, sizeof error);
	if (!loaded)
		recovery_refuse(error);
}

struct machine *first_history_begin(const char *data_dir, const char *initial_orders, uint64_t orders_max)
{
	const struct snapshot_pace at_once = {0};
	struct machine *machine = machine_new(LIMIT_OPERATIONS(orders_max) + MACHINE_LOADED_MAX);
	struct snapshot_summary summary;
	char error[SNAPSHOT_ERROR_SIZE];

	load(machine, initial_orders);
	summary = snapshot_summary_of(machine_history(machine));
	if (snapshot_write(data_dir, machine_history(machine), &summary, &at_once, error, sizeof error) != SNAPSHOT_WRITTEN)
		recovery_refuse(error);
	return machine;
}
