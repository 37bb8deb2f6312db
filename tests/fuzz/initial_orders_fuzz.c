/* The file of --initial-orders.
 *
 * Input: the file. A history must accept every order it contains. */
#include "fuzz.h"
#include "rpc/base/must.h"
#include "server/machine/machine.h"
#include "server/shop/initial_orders.h"

static bool take(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	must(machine_load(context, body, size, error, error_size));
	return true;
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	struct machine *machine = machine_new(1000000);
	char error[INITIAL_ORDERS_ERROR_SIZE] = "";

	if (!initial_orders_load(fuzz_file("initial-orders", bytes, size), take, machine, error, sizeof error))
		must(error[0] != '\0');
	must(history_count(machine_history(machine)) <= size);
	must(history_loaded(machine_history(machine)) == history_count(machine_history(machine)));
	machine_free(machine);
}
