#include "server/announce.h"

#include <string.h>

#include "rpc/base/log.h"
#include "rpc/net/channel.h"
#include "rpc/base/clock.h"
#include "rpc/frontend.h"
#include "server/node.h"

#define DUMP_TIMEOUT_MS 1000
#define CALL_TIMEOUT_MS 1000

void announce_cancel(struct node *node)
{
	rpc_channel_close(node->announcing);
	node->announcing = NULL;
}

static void answered(void *context, const struct rpc_reply *reply)
{
	(void)reply;
	announce_cancel(context);
}

static void closed(void *context, const char *reason)
{
	log_debug("announce", "no front-end heard us reason=\"%s\"", reason);
	announce_cancel(context);
}

static void found(void *context, const char *host, const struct registry_entry *entries, int count, const char *error)
{
	static const struct rpc_channel_events events = {.closed = closed};
	struct node *node = context;
	jh_announce_args args = {.id = node->options.id};

	if (count <= 0 || node->announcing != NULL) {
		log_debug("announce", "no front-end found host=%s reason=\"%s\"", host,
			  error != NULL ? error : "none registered");
		return;
	}
	args.address.jh_address_val = node->address;
	args.address.jh_address_len = (u_int)strlen(node->address);
	node->announcing = rpc_channel_open(node->base, entries[0].address, node->options.program_base, JH_FRONTEND_V1,
					    &events, node);
	announce_1(&args, NULL, rpc_channel_call(node->announcing, CALL_TIMEOUT_MS, answered, node));
}

void announce(struct node *node)
{
	uint32_t base = node->options.program_base;

	node->announced_us = rpc_clock_us();
	if (node->options.frontend == NULL || node->announcing != NULL)
		return;
	registry_dump_async(node->registry, node->options.frontend, base, base, DUMP_TIMEOUT_MS, found, node);
}
