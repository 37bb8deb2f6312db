#include "server/announce.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "rpc/frontend.h"
#include "rpc/net/channel.h"
#include "rpc/net/registry.h"

#define DUMP_TIMEOUT_MS 1000
#define CALL_TIMEOUT_MS 1000
#define AGAIN_US 5000000u

struct announcer {
	struct announcer_options options;
	struct rpc_channel *channel; /* NULL: no call under way */
	uint64_t looked_us;          /* when a front-end was last looked for */
	bool begun;
	bool lost;                   /* the host of --frontend could not be asked; said once */
};

struct announcer *announcer_new(const struct announcer_options *options)
{
	struct announcer *announcer = calloc(1, sizeof *announcer);

	must_allocate(announcer);
	announcer->options = *options;
	return announcer;
}

static void hang_up(struct announcer *announcer)
{
	rpc_channel_close(announcer->channel);
	announcer->channel = NULL;
}

void announcer_free(struct announcer *announcer)
{
	if (announcer == NULL)
		return;
	hang_up(announcer);
	free(announcer);
}

static void answered(void *context, const struct rpc_reply *reply)
{
	(void)reply;
	hang_up(context);
}

static void closed(void *context, enum rpc_end end, const char *reason)
{
	(void)end;
	log_debug("announce", "no front-end heard us reason=\"%s\"", reason);
	hang_up(context);
}

static void found(void *context, const char *host, const struct registry_entry *entries, int count, const char *error)
{
	static const struct rpc_channel_events events = {.closed = closed};
	struct announcer *announcer = context;
	const struct announcer_options *options = &announcer->options;
	jh_announce_args args = {.id = options->id};

	if (count < 0 && !announcer->lost)
		log_warn("announce", "no front-end is told that this replica has started: %s: see --frontend", error);
	announcer->lost = count < 0;
	if (count <= 0 || announcer->channel != NULL) {
		log_debug("announce", "no front-end found host=%s reason=\"%s\"", host,
			  error != NULL ? error : "none registered");
		return;
	}
	args.address.jh_address_val = (char *)(uintptr_t)options->address;
	args.address.jh_address_len = (u_int)strlen(options->address);
	announcer->channel = rpc_channel_open(options->base, entries[0].address, options->program_base, JH_FRONTEND_V2,
					      &events, announcer);
	announce_2(&args, NULL, rpc_channel_call(announcer->channel, CALL_TIMEOUT_MS, answered, announcer));
}

void announce(struct announcer *announcer)
{
	const struct announcer_options *options = &announcer->options;

	announcer->begun = true;
	announcer->looked_us = rpc_clock_us();
	if (options->frontend == NULL || announcer->channel != NULL)
		return;
	registry_dump_async(options->registry, options->frontend, options->program_base, options->program_base,
			    DUMP_TIMEOUT_MS, found, announcer);
}

void announcer_tick(struct announcer *announcer, bool managed)
{
	if (announcer->begun && !managed && rpc_clock_us() - announcer->looked_us >= AGAIN_US)
		announce(announcer);
}
