#include "server/shop/orders_service.h"

#include "rpc/base/must.h"

static enum replica_known lookup(void *context, struct uuid client, uint64_t request, struct digest content,
				 uint64_t *op)
{
	struct orders *const *orders = context;

	switch (orders_lookup(*orders, client, request, content, op)) {
	case ORDERS_UNKNOWN:
		return KNOWN_NEW;
	case ORDERS_REPEAT:
		return KNOWN_REPEAT;
	case ORDERS_CONFLICT:
		return KNOWN_CONFLICT;
	case ORDERS_SUPERSEDED:
		return KNOWN_SUPERSEDED;
	}
	return KNOWN_NEW;
}

static bool key(void *context, const uint8_t *body, uint32_t size, struct uuid *client, uint64_t *request,
		struct digest *content)
{
	int64_t time_us;

	(void)context;
	return orders_body_key(body, size, client, request, content, &time_us);
}

static uint64_t state_bytes(void *context)
{
	struct orders *const *orders = context;

	return orders_bytes(*orders);
}

struct replica_service orders_service(struct orders **orders)
{
	return (struct replica_service){.context = orders, .lookup = lookup, .key = key, .state_bytes = state_bytes};
}

/* RULE 11: applying checks again. What cannot be applied must not be in a log: stop rather than differ from the
 * others. RULE 19: nor is there more in it than we announce that we can hold. */
void orders_service_apply(struct orders *orders, const struct replica *replica, uint64_t op)
{
	while (orders_op(orders) < op) {
		struct replica_entry entry = replica_entry_at(replica, orders_op(orders) + 1);

		must(orders_apply(orders, entry.body, entry.size) == ORDERS_APPLIED);
	}
}
