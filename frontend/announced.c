/* Replicas that have announced themselves and that discovery never finds: their host is missing from --replica-hosts.
 * What they say is only shown. */
#include "frontend/announced.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "rpc/net/address.h"

#define ANNOUNCED_MAX 16
#define FRESH_US 30000000u /* a replica announces itself every few seconds while it hears no front-end */

struct announcement {
	uint32_t id; /* 0: a free entry */
	char host[RPC_ADDRESS_TEXT];
	uint64_t first_us, last_us;
	bool said;
};

struct announced {
	struct announcement list[ANNOUNCED_MAX];
};

struct announced *announced_new(void)
{
	struct announced *announced = calloc(1, sizeof *announced);

	must_allocate(announced);
	return announced;
}

void announced_free(struct announced *announced)
{
	free(announced);
}

static bool host_of(const char *address, char *host, size_t size)
{
	struct rpc_address parsed;
	char text[RPC_ADDRESS_TEXT];

	if (!rpc_address_parse(address, &parsed) || rpc_address_is_wildcard(&parsed) ||
	    rpc_address_is_loopback(&parsed))
		return false;
	rpc_address_format(&parsed, text, sizeof text);
	*strrchr(text, ':') = '\0';
	snprintf(host, size, "%s", text);
	return true;
}

/* The entry of that id, or the one that has been silent for longest (RULE 19). */
static struct announcement *place_of(struct announced *announced, uint32_t id)
{
	struct announcement *place = &announced->list[0];

	for (int i = 0; i < ANNOUNCED_MAX; i++) {
		if (announced->list[i].id == id)
			return &announced->list[i];
		if (announced->list[i].last_us < place->last_us)
			place = &announced->list[i];
	}
	return place;
}

void announced_heard(struct announced *announced, uint32_t id, const char *address, const char *from, uint64_t now_us)
{
	struct announcement *place = place_of(announced, id);
	char host[RPC_ADDRESS_TEXT];

	if (!host_of(address, host, sizeof host) && !host_of(from, host, sizeof host))
		snprintf(host, sizeof host, "%s", "127.0.0.1");
	if (place->id != id || strcmp(place->host, host) != 0 || now_us - place->last_us > FRESH_US)
		*place = (struct announcement){.id = id, .first_us = now_us};
	place->last_us = now_us;
	memcpy(place->host, host, sizeof host);
}

void announced_explain(struct announced *announced, uint64_t now_us, uint64_t wait_us, announced_known_fn known,
		       void *context, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < ANNOUNCED_MAX; i++) {
		struct announcement *place = &announced->list[i];

		if (place->id == 0 || now_us - place->last_us > FRESH_US || now_us - place->first_us < wait_us ||
		    known(context, place->id))
			continue;
		if (!place->said)
			log_warn("discovery", "replica %u at %s announces itself, but that host is not in --replica-hosts: it is "
				 "never asked", place->id, place->host);
		place->said = true;

		int more = snprintf(text + used, size - used, "; replica %u at %s is not in --replica-hosts", place->id,
				    place->host);

		if (more < 0 || (size_t)more >= size - used) {
			text[used] = '\0'; /* a part that does not fit is left out */
			return;
		}
		used += (size_t)more;
	}
}
