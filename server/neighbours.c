#include "server/neighbours.h"

#include <string.h>

#include "rpc/base/log.h"
#include "rpc/cluster/strangers.h"
#include "server/node.h"

#define NUMBERS 4096
#define DUMP_TIMEOUT_MS 4000

static void dumped(void *context, const char *host, const struct registry_entry *entries, int count, const char *error)
{
	struct node *node = context;

	if (count < 0)
		log_debug("neighbours", "not asked whose programs there are host=%s reason=\"%s\"", host, error);
	for (int i = 0; i < count; i++) {
		if (entries[i].version == JH_REPLICA_V1 && strcmp(entries[i].netid, "tcp") == 0 &&
		    entries[i].program != node->options.program_base + node->options.id)
			strangers_look(node->strangers, entries[i].program, entries[i].address);
	}
}

void neighbours_look(struct node *node)
{
	uint32_t base = node->options.program_base;

	if (node->strangers != NULL)
		return;
	node->strangers = strangers_new(node->base, base, NULL, NULL);
	registry_dump_async(node->registry, "127.0.0.1", base < NUMBERS ? 1 : base - NUMBERS + 1, base + NUMBERS - 1,
			    DUMP_TIMEOUT_MS, dumped, node);
}
