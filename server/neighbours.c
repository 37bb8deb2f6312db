#include "server/neighbours.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/strangers.h"
#include "rpc/net/registry.h"
#include "rpc/replica.h"

#define DUMP_TIMEOUT_MS 4000

struct neighbours {
	struct registry *registry;
	struct strangers *strangers;
	uint32_t program_base, id;
};

struct neighbours *neighbours_new(struct event_base *base, struct registry *registry, uint32_t program_base, uint32_t id)
{
	struct neighbours *neighbours = calloc(1, sizeof *neighbours);

	must_allocate(neighbours);
	*neighbours = (struct neighbours){.registry = registry, .program_base = program_base, .id = id};
	neighbours->strangers = strangers_new(base, program_base, NULL, NULL);
	return neighbours;
}

void neighbours_free(struct neighbours *neighbours)
{
	if (neighbours == NULL)
		return;
	strangers_free(neighbours->strangers);
	free(neighbours);
}

static void dumped(void *context, const char *host, const struct registry_entry *entries, int count, const char *error)
{
	const struct neighbours *neighbours = context;

	if (count < 0)
		log_debug("neighbours", "not asked whose programs there are host=%s reason=\"%s\"", host, error);
	for (int i = 0; i < count; i++) {
		if (entries[i].version == JH_REPLICA_V1 && strcmp(entries[i].netid, "tcp") == 0 &&
		    entries[i].program != neighbours->program_base + neighbours->id)
			strangers_look(neighbours->strangers, entries[i].program, entries[i].address);
	}
}

void neighbours_look(struct neighbours *neighbours)
{
	uint32_t base = neighbours->program_base;

	registry_dump_async(neighbours->registry, "127.0.0.1", base <= LIMIT_REPLICA_ID ? 1 : base - LIMIT_REPLICA_ID,
			    base + LIMIT_REPLICA_ID, DUMP_TIMEOUT_MS, dumped, neighbours);
}
