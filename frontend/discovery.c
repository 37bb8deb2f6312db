#include "frontend/discovery.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/strangers.h"
#include "rpc/net/address.h"
#include "rpc/net/registry.h"

#define EVERY_MS 1000
#define DUMP_TIMEOUT_MS 1000
#define DUMP_TIMEOUT_MOST_MS 4000 /* for a slow rpcbind; a round of all hosts takes as long */
#define HOST_SIZE 256

enum reach { REACH_UNKNOWN, REACH_LOOPBACK, REACH_NETWORK };

/* What the round under way has found about an id. */
struct found {
	uint8_t host;  /* 1 + index of the host that listed it last; 0: not found */
	char address[64];
};

/* An entry whose owner is being asked for, or that waits for others of its host. */
struct doubtful {
	uint32_t host, id;
	char address[64];
	bool known;
	TAILQ_ENTRY(doubtful) link;
};

struct discovery {
	struct registry *registry;
	struct strangers *strangers;
	uint32_t program_base;
	struct discovery_events events;
	void *context;
	struct event *timer;
	char hosts[DISCOVERY_HOSTS_MAX][HOST_SIZE];
	bool silent[DISCOVERY_HOSTS_MAX]; /* its last dump failed; logged once */
	uint32_t timeout_ms[DISCOVERY_HOSTS_MAX];
	uint32_t hosts_count;
	uint32_t answers_due; /* of the round under way: dumps */
	TAILQ_HEAD(doubtfuls, doubtful) doubtful; /* and entries */
	bool rounding; /* a round is under way */
	bool complete;
	bool again; /* woken during a round */
	enum reach reach; /* of the cluster's members; all are of one kind */
	bool reach_seen;  /* in this round */
	bool refused[LIMIT_PROGRAM_NUMBERS]; /* for the other kind; logged once */
	struct found found[LIMIT_PROGRAM_NUMBERS];
	bool whole;                /* the last round reached every host, */
	bool listed[LIMIT_PROGRAM_NUMBERS];  /* and found these */
};

/* --- one entry ---------------------------------------------------------------------------------------------------- */

static enum reach reach_of(const char *address)
{
	struct rpc_address parsed;

	if (!rpc_address_parse(address, &parsed))
		return REACH_UNKNOWN;
	return rpc_address_is_loopback(&parsed) ? REACH_LOOPBACK : REACH_NETWORK;
}

/* A member on loopback cannot be reached from other hosts, so such a mixture would work only in part. */
static bool refuse_mixture(struct discovery *discovery, uint32_t id, const char *address)
{
	enum reach reach = reach_of(address);

	if (discovery->reach == REACH_UNKNOWN)
		discovery->reach = reach;
	if (reach == discovery->reach) {
		discovery->reach_seen = true;
		discovery->refused[id] = false;
		return false;
	}
	if (!discovery->refused[id])
		log_warn("discovery",
			 "refused: loopback and non-loopback replicas cannot form one cluster; restart it with "
			 "--listen "
			 "or --advertise replica=%u address=%s",
			 id, address);
	discovery->refused[id] = true;
	return true;
}

static void take_found(struct discovery *discovery, uint32_t host, uint32_t id, const char *address)
{
	struct found *found = &discovery->found[id];

	if (refuse_mixture(discovery, id, address))
		return;
	found->host = (uint8_t)(host + 1);
	snprintf(found->address, sizeof found->address, "%s", address);
}

static void wait_for(struct discovery *discovery, uint32_t host, uint32_t id, const char *address)
{
	struct doubtful *doubtful = calloc(1, sizeof *doubtful);

	must_allocate(doubtful);
	doubtful->host = host;
	doubtful->id = id;
	snprintf(doubtful->address, sizeof doubtful->address, "%s", address);
	TAILQ_INSERT_TAIL(&discovery->doubtful, doubtful, link);
}

static void take_entry(struct discovery *discovery, uint32_t host, uint32_t id, const char *address)
{
	switch (strangers_look(discovery->strangers, discovery->program_base + id, address)) {
	case STRANGERS_OURS:
		take_found(discovery, host, id, address);
		return;
	case STRANGERS_ASKING:
		wait_for(discovery, host, id, address);
		return;
	case STRANGERS_DEAD:
		discovery->events.dead(discovery->context, id, address);
		return;
	case STRANGERS_OTHERS:
		return;
	}
	must_not_reach("an entry is somebody's");
}

/* Of one host's addresses tcp is preferred. When two hosts list an id, one of them may list a dead process that only
 * that host can remove, so the address from each host is passed on, in the order of their answers. */
static void take_entries(struct discovery *discovery, uint32_t host, const struct registry_entry *entries, int count)
{
	const struct registry_entry *chosen[LIMIT_PROGRAM_NUMBERS] = {NULL};

	for (int i = 0; i < count; i++) {
		uint32_t id = entries[i].program - discovery->program_base;

		if (entries[i].version != 1 || id == 0)
			continue;
		if (entries[i].program < discovery->program_base) { /* only to see which numbers overlap ours */
			strangers_look(discovery->strangers, entries[i].program, entries[i].address);
			continue;
		}
		if (id > LIMIT_REPLICA_ID || (chosen[id] != NULL && strcmp(entries[i].netid, "tcp6") == 0))
			continue;
		chosen[id] = &entries[i];
	}
	for (uint32_t id = 1; id <= LIMIT_REPLICA_ID; id++)
		if (chosen[id] != NULL)
			take_entry(discovery, host, id, chosen[id]->address);
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

static void plan(struct discovery *discovery, uint32_t wait_ms)
{
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};

	evtimer_add(discovery->timer, &wait);
}

static void end_round(struct discovery *discovery)
{
	uint32_t ids[LIMIT_PROGRAM_NUMBERS];
	uint32_t count = 0;

	for (uint32_t id = 1; id <= LIMIT_REPLICA_ID; id++)
		if (discovery->found[id].host != 0)
			ids[count++] = id;
	discovery->whole = discovery->complete;
	if (discovery->complete)
		strangers_end_round(discovery->strangers);
	for (uint32_t id = 1; id <= LIMIT_REPLICA_ID; id++)
		discovery->listed[id] = discovery->found[id].host != 0 || discovery->refused[id];
	if (!discovery->reach_seen)
		discovery->reach = REACH_UNKNOWN;
	plan(discovery, discovery->again ? 0 : EVERY_MS);
	discovery->again = false;
	discovery->events.dumped(discovery->context, discovery->complete, ids, count);
}

static void end_round_when_known(struct discovery *discovery)
{
	if (discovery->rounding && discovery->answers_due == 0 && TAILQ_EMPTY(&discovery->doubtful)) { /* RULE 18 */
		discovery->rounding = false;
		end_round(discovery);
	}
}

static uint32_t host_index(const struct discovery *discovery, const char *host)
{
	uint32_t index = 0;

	while (index < discovery->hosts_count && strcmp(discovery->hosts[index], host) != 0)
		index++;
	must(index < discovery->hosts_count);
	return index;
}

static void say_silence(struct discovery *discovery, uint32_t host, const char *error)
{
	bool silent = error != NULL;

	if (silent && !discovery->silent[host])
		log_warn("discovery", "%s", error);
	else if (!silent && discovery->silent[host])
		log_info("discovery", "rpcbind answers again host=%s", discovery->hosts[host]);
	discovery->silent[host] = silent;
}

static void dumped(void *context, const char *name, const struct registry_entry *entries, int count, const char *error)
{
	struct discovery *discovery = context;
	uint32_t host = host_index(discovery, name);

	say_silence(discovery, host, count < 0 ? error : NULL);
	if (count < 0)
		discovery->complete = false;
	if (count == REGISTRY_DUMP_LATE && discovery->timeout_ms[host] < DUMP_TIMEOUT_MOST_MS)
		discovery->timeout_ms[host] *= 2;
	if (count > 0)
		take_entries(discovery, host, entries, count);
	/* At once: another host may be dead. */
	for (uint32_t id = 1; count > 0 && id <= LIMIT_REPLICA_ID; id++)
		if (discovery->found[id].host == host + 1)
			discovery->events.found(discovery->context, id, discovery->found[id].address);
	must(discovery->answers_due > 0);
	discovery->answers_due--;
	end_round_when_known(discovery);
}

/* RULE 18: what one dump lists for the first time is passed on as a whole, in the order of the ids: otherwise one
 * replica could answer, and a cluster be formed of it, before the others are known to exist. */
static void take_known(struct discovery *discovery, uint32_t host)
{
	struct doubtful *doubtful, *next;

	TAILQ_FOREACH(doubtful, &discovery->doubtful, link) {
		if (doubtful->host == host && !doubtful->known)
			return;
	}
	for (doubtful = TAILQ_FIRST(&discovery->doubtful); doubtful != NULL; doubtful = next) {
		uint32_t id = doubtful->id;

		next = TAILQ_NEXT(doubtful, link);
		if (doubtful->host != host || !doubtful->known) /* in doubt since then: asked again */
			continue;
		TAILQ_REMOVE(&discovery->doubtful, doubtful, link);
		must(TAILQ_FIRST(&discovery->doubtful) != doubtful);
		take_entry(discovery, host, id, doubtful->address);
		free(doubtful);
		if (discovery->found[id].host == host + 1)
			discovery->events.found(discovery->context, id, discovery->found[id].address);
	}
}

/* The owner of an entry is known. */
static void identified(void *context, uint32_t program, const char *address)
{
	struct discovery *discovery = context;
	uint32_t id = program - discovery->program_base;
	struct doubtful *doubtful;
	bool lists_it[DISCOVERY_HOSTS_MAX] = {false};

	TAILQ_FOREACH(doubtful, &discovery->doubtful, link) {
		if (doubtful->id != id || strcmp(doubtful->address, address) != 0)
			continue;
		doubtful->known = true;
		lists_it[doubtful->host] = true;
	}
	for (uint32_t host = 0; host < discovery->hosts_count; host++)
		if (lists_it[host])
			take_known(discovery, host);
	end_round_when_known(discovery);
}

static void start_round(evutil_socket_t fd, short what, void *context)
{
	struct discovery *discovery = context;
	uint32_t low;

	(void)fd;
	(void)what;
	must(!discovery->rounding);
	discovery->rounding = true;
	memset(discovery->found, 0, sizeof discovery->found);
	discovery->complete = true;
	discovery->reach_seen = false;
	discovery->answers_due = discovery->hosts_count;
	/* Numbers below ours, too: those of another cluster may overlap ours. */
	low = discovery->program_base <= LIMIT_REPLICA_ID ? 1 : discovery->program_base - LIMIT_REPLICA_ID;
	for (uint32_t i = 0; i < discovery->hosts_count; i++)
		registry_dump_async(discovery->registry, discovery->hosts[i], low,
				    discovery->program_base + LIMIT_REPLICA_ID, discovery->timeout_ms[i], dumped,
				    discovery);
}

bool discovery_lists(const struct discovery *discovery, uint32_t id)
{
	return !discovery->whole || id == 0 || id > LIMIT_REPLICA_ID || discovery->listed[id];
}

void discovery_doubt(struct discovery *discovery, uint32_t id)
{
	strangers_doubt(discovery->strangers, discovery->program_base + id);
}

void discovery_wake(struct discovery *discovery)
{
	if (discovery->rounding)
		discovery->again = true;
	else
		plan(discovery, 0);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static bool add_host(struct discovery *discovery, const char *name, size_t length)
{
	if (length == 0 || length >= HOST_SIZE || discovery->hosts_count == DISCOVERY_HOSTS_MAX)
		return false;

	char *host = discovery->hosts[discovery->hosts_count];

	memcpy(host, name, length);
	host[length] = '\0';
	for (uint32_t i = 0; i < discovery->hosts_count; i++)
		if (strcmp(discovery->hosts[i], host) == 0)
			return true; /* named twice, asked once */
	discovery->hosts_count++;
	return true;
}

static bool take_hosts(struct discovery *discovery, const char *hosts)
{
	for (;;) {
		size_t length = strcspn(hosts, ",");

		if (!add_host(discovery, hosts, length))
			return false;
		if (hosts[length] == '\0')
			return true;
		hosts += length + 1;
	}
}

struct discovery *discovery_new(struct event_base *base, struct registry *registry, uint32_t program_base,
				const char *hosts, const struct discovery_events *events, void *context)
{
	struct discovery *discovery = calloc(1, sizeof *discovery);

	must_allocate(discovery);
	if (!take_hosts(discovery, hosts)) {
		free(discovery);
		return NULL;
	}
	discovery->registry = registry;
	discovery->program_base = program_base;
	discovery->events = *events;
	discovery->context = context;
	for (uint32_t i = 0; i < discovery->hosts_count; i++)
		discovery->timeout_ms[i] = DUMP_TIMEOUT_MS;
	TAILQ_INIT(&discovery->doubtful);
	discovery->strangers = strangers_new(base, program_base, identified, discovery);
	discovery->timer = evtimer_new(base, start_round, discovery);
	must_allocate(discovery->timer);
	plan(discovery, 0);
	return discovery;
}

void discovery_free(struct discovery *discovery)
{
	struct doubtful *doubtful;

	if (discovery == NULL)
		return;
	while ((doubtful = TAILQ_FIRST(&discovery->doubtful)) != NULL) {
		TAILQ_REMOVE(&discovery->doubtful, doubtful, link);
		free(doubtful);
	}
	strangers_free(discovery->strangers);
	event_free(discovery->timer);
	free(discovery);
}
