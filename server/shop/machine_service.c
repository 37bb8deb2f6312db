#include "server/shop/machine_service.h"

#include "rpc/base/must.h"
#include "server/machine/operation.h"

static enum replica_known lookup(void *context, struct uuid client, uint64_t request, struct digest content,
				 uint64_t *op)
{
	struct machine *const *machine = context;

	switch (machine_lookup(*machine, client, request, content, op)) {
	case CLIENT_NEW:
		return KNOWN_NEW;
	case CLIENT_DECIDED:
		return KNOWN_DECIDED;
	case CLIENT_REUSED:
		return KNOWN_REUSED;
	case CLIENT_PASSED:
		return KNOWN_PASSED;
	}
	return KNOWN_NEW;
}

static bool key(void *context, const uint8_t *body, uint32_t size, struct uuid *client, uint64_t *request,
		struct digest *content)
{
	int64_t time_us;

	(void)context;
	return operation_key(body, size, client, request, content, &time_us);
}

static uint64_t state_bytes(void *context)
{
	struct machine *const *machine = context;

	return history_bytes(machine_history(*machine));
}

static bool fold_at(void *context, uint64_t op, struct digest *fold)
{
	struct machine *const *machine = context;

	return machine_fold_at(*machine, op, fold);
}

struct replica_service machine_service(struct machine **machine)
{
	return (struct replica_service){.context = machine, .lookup = lookup, .key = key, .fold_at = fold_at,
					.state_bytes = state_bytes};
}

/* Whatever an entry asks for, it has an outcome. Only what is no operation cannot be applied, and never enters a log; RULE 19:
 * nor does the log hold more than we announced that we can hold. */
void machine_service_apply(struct machine *machine, const struct replica *replica, uint64_t op)
{
	while (machine_op(machine) < op) {
		struct replica_entry entry = replica_entry_at(replica, machine_op(machine) + 1);

		must(machine_apply(machine, entry.body, entry.size) == MACHINE_APPLIED);
	}
}
