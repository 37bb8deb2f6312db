/* Finding replicas: one dump of each named host's rpcbind every second, of which base + 1 .. base + 4095 are kept,
 * except those of another cluster or service (rpc/cluster/strangers.h). Discovery finds replicas and no more: an entry
 * that disappears ends no connection (rule 17). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct registry;
struct discovery;

struct discovery_events {
	/* Replica id is registered at this address; repeated with every dump of every host that lists it. */
	void (*found)(void *context, uint32_t id, const char *address);
	/* One round is over: every id registered anywhere; complete: every host has answered. */
	void (*dumped)(void *context, bool complete, const uint32_t *ids, uint32_t count);
	/* The entry of that id outlived its process: another one has the port. */
	void (*dead)(void *context, uint32_t id, const char *address);
};

/* hosts: "HOST,HOST..."; NULL when a name is empty or there are more than DISCOVERY_HOSTS_MAX. Starts at once. */
#define DISCOVERY_HOSTS_MAX 64
struct discovery *discovery_new(struct event_base *base, struct registry *registry, uint32_t program_base,
				const char *hosts, const struct discovery_events *events, void *context);
/* The registry is freed before it: no answer may be under way. */
void discovery_free(struct discovery *discovery);

/* The last whole round has found that id, or there was none yet that reached every host. */
bool discovery_lists(const struct discovery *discovery, uint32_t id);
/* Another cluster's replica answered the hello where that id was. */
void discovery_doubt(struct discovery *discovery, uint32_t id);
/* A replica has announced itself: dump now, not in a second. */
void discovery_wake(struct discovery *discovery);
