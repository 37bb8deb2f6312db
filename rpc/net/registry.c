#include "rpc/net/registry.h"

#include <netinet/in.h>
#include <rpc/rpcb_prot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/address.h"
#include "rpc/net/blocking_call.h"
#include "rpc/net/registry_internal.h"
#include "rpc/net/registry_mappings.h"
#include "rpc/net/resolve.h"

#define RPCBIND_PORT 111
#define PING_MS 500
#define HOST_ADDRESSES 8

/* xdr_void with the type that xdrproc_t requires. */
static bool_t xdr_nothing(XDR *xdr, ...)
{
	(void)xdr;
	return TRUE;
}

/* How long to wait for the local rpcbind, for each query. */
struct patience {
	uint64_t for_us;
	int cancel_fd; /* 0: none */
};

static const struct patience usual = {.for_us = REGISTRY_PATIENCE_US};

/* --- rpcbind's procedures ----------------------------------------------------------------------------------------- */

static struct rpc_address local_rpcbind(void)
{
	struct rpc_address address = {.length = sizeof(struct sockaddr_un)};
	struct sockaddr_un *local = (struct sockaddr_un *)&address.storage;

	local->sun_family = AF_UNIX;
	snprintf(local->sun_path, sizeof local->sun_path, "%s", _PATH_RPCBINDSOCK);
	return address;
}

static enum blocking_result dump(const struct rpc_address *rpcbind, struct mappings *mappings, uint64_t deadline_us,
				 int cancel_fd, char *error, size_t error_size)
{
	*mappings = (struct mappings){0};
	return blocking_call(&(struct blocking_call){
		.address = rpcbind, .program = RPCBPROG, .version = RPCBVERS4, .procedure = RPCBPROC_DUMP,
		.encode = xdr_nothing, .decode = (xdrproc_t)mappings_decode, .results = mappings,
		.deadline_us = deadline_us, .cancel_fd = cancel_fd,
	}, error, error_size);
}

/* RPCBPROC_SET or RPCBPROC_UNSET at the local rpcbind; *done is its answer. */
static enum blocking_result change(rpcproc_t procedure, uint32_t program, uint32_t version,
				   const struct rpc_address *address, bool *done, const struct patience *patience,
				   char *error, size_t error_size)
{
	struct rpc_address rpcbind = local_rpcbind();
	char universal[RPC_ADDRESS_TEXT];
	char owner[16];
	bool_t answer = FALSE;
	rpcb mapping = {
		.r_prog = program,
		.r_vers = version,
		.r_netid = (char *)(uintptr_t)rpc_address_netid(address),
		.r_addr = universal,
		.r_owner = owner, /* ignored: rpcbind uses the socket's credentials instead */
	};

	rpc_address_to_universal(address, universal, sizeof universal);
	snprintf(owner, sizeof owner, "%u", geteuid());

	enum blocking_result result = blocking_call(&(struct blocking_call){
		.address = &rpcbind, .program = RPCBPROG, .version = RPCBVERS4, .procedure = procedure,
		.encode = (xdrproc_t)xdr_rpcb, .arguments = &mapping,
		.decode = (xdrproc_t)xdr_bool, .results = &answer,
		.deadline_us = rpc_clock_us() + patience->for_us, .cancel_fd = patience->cancel_fd,
	}, error, error_size);

	*done = answer;
	return result;
}

/* --- dumps -------------------------------------------------------------------------------------------------------- */

static enum blocking_result dump_one_of(const struct rpc_address *addresses, int count, struct mappings *mappings,
					uint64_t deadline_us, int cancel_fd, char *why, size_t why_size)
{
	enum blocking_result result = BLOCKING_UNREACHABLE;

	for (int i = 0; i < count && (result == BLOCKING_UNREACHABLE || result == BLOCKING_LATE); i++) {
		/* A dead address leaves time for those after it. */
		uint64_t now_us = rpc_clock_us();
		uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;

		result = dump(&addresses[i], mappings, now_us + left_us / (uint64_t)(count - i), cancel_fd, why, why_size);
	}
	return result;
}

/* An rpcbind that runs here but serves no network: without /etc/services it does not find its own port. */
static bool answers_on_its_socket(uint64_t deadline_us, int cancel_fd)
{
	struct rpc_address local = local_rpcbind();
	struct mappings mappings;
	char why[SHORTAGE_TEXT];

	if (dump(&local, &mappings, deadline_us, cancel_fd, why, sizeof why) != BLOCKING_ANSWERED)
		return false;
	xdr_free((xdrproc_t)mappings_decode, &mappings);
	return true;
}

static int say_unanswered(enum blocking_result result, const char *host, const char *why, char *error, size_t error_size)
{
	switch (result) {
	case BLOCKING_REJECTED:
	case BLOCKING_STRANGER:
	case BLOCKING_FAILED:
		snprintf(error, error_size,
			 "what answers on %s:%d is no rpcbind that lists programs (%s): start rpcbind there", host,
			 RPCBIND_PORT, why);
		return -1;
	case BLOCKING_SHORT:
		snprintf(error, error_size, "cannot ask rpcbind on %s:%d: %s", host, RPCBIND_PORT, why);
		return -1;
	case BLOCKING_LATE:
		snprintf(error, error_size, "rpcbind on %s:%d is there, but has not answered in time: it is stopped or overloaded (%s)",
			 host, RPCBIND_PORT, why);
		return REGISTRY_DUMP_LATE;
	default:
		snprintf(error, error_size, "cannot reach rpcbind on %s:%d: start it with `rpcbind` as root (%s)", host,
			 RPCBIND_PORT, why);
		return -1;
	}
}

int registry_dump_or_cancel(const char *host, uint32_t low, uint32_t high, struct registry_entry *entries,
			    int entries_max, uint32_t timeout_ms, int cancel_fd, char *error, size_t error_size)
{
	struct rpc_address addresses[HOST_ADDRESSES];
	uint64_t deadline_us = rpc_clock_us() + (uint64_t)timeout_ms * 1000u;
	char why[128] = "";
	struct mappings mappings = {0};
	int count = 0;
	int address_count = resolve_host(host, RPCBIND_PORT, deadline_us, cancel_fd, addresses, HOST_ADDRESSES, why,
					 sizeof why);

	if (address_count == 0) {
		snprintf(error, error_size, "cannot find host %s: %s", host, why);
		return -1;
	}

	enum blocking_result result = dump_one_of(addresses, address_count, &mappings, deadline_us, cancel_fd, why, sizeof why);

	if (result == BLOCKING_UNREACHABLE && rpc_address_is_loopback(&addresses[0]) &&
	    answers_on_its_socket(deadline_us, cancel_fd)) {
		/* It may have been started in between; now that it answers, it listens on everything it ever will. */
		result = dump_one_of(addresses, address_count, &mappings, deadline_us, cancel_fd, why, sizeof why);
		if (result == BLOCKING_UNREACHABLE) {
			snprintf(error, error_size,
				 "rpcbind runs here, but answers on its local socket only: install netbase (/etc/services) and "
				 "restart it (%s)", why);
			return -1;
		}
	}
	if (result != BLOCKING_ANSWERED)
		return say_unanswered(result, host, why, error, error_size);
	for (size_t i = 0; i < mappings.count && count < entries_max; i++)
		if (mappings.at[i].program >= low && mappings.at[i].program <= high &&
		    mapping_take(&mappings.at[i], addresses, address_count, &entries[count]))
			count++;
	xdr_free((xdrproc_t)mappings_decode, &mappings);
	return count;
}

int registry_dump(const char *host, uint32_t low, uint32_t high, struct registry_entry *entries, int entries_max,
		  uint32_t timeout_ms, char *error, size_t error_size)
{
	return registry_dump_or_cancel(host, low, high, entries, entries_max, timeout_ms, 0, error, error_size);
}

/* The local rpcbind's entry of the program on the netid of `address`, with wildcards unchanged; *found is its
 * answer. */
static enum blocking_result find_local(uint32_t program, uint32_t version, const struct rpc_address *address,
				       struct registry_entry *entry, bool *found, const struct patience *patience,
				       char *error, size_t error_size)
{
	struct rpc_address rpcbind = local_rpcbind();
	struct mappings mappings;
	enum blocking_result result = dump(&rpcbind, &mappings, rpc_clock_us() + patience->for_us, patience->cancel_fd,
					   error, error_size);

	*found = false;
	if (result != BLOCKING_ANSWERED)
		return result;
	for (size_t i = 0; i < mappings.count && !*found; i++)
		if (mappings.at[i].program == program && mappings.at[i].version == version &&
		    strcmp(mappings.at[i].netid, rpc_address_netid(address)) == 0 &&
		    mapping_take(&mappings.at[i], NULL, 0, entry))
			*found = true;
	xdr_free((xdrproc_t)mappings_decode, &mappings);
	return result;
}

static bool entry_names(const struct registry_entry *entry, const struct rpc_address *address)
{
	struct rpc_address named;

	return rpc_address_parse(entry->address, &named) && rpc_address_same(&named, address);
}

/* --- registering -------------------------------------------------------------------------------------------------- */

static enum registry_set_result unanswered(enum blocking_result result, const char *why, char *error, size_t error_size)
{
	switch (result) {
	case BLOCKING_LATE:
		snprintf(error, error_size, "rpcbind on %s is there, but slow or stopped: waiting for its answer", _PATH_RPCBINDSOCK);
		return REGISTRY_SLOW;
	case BLOCKING_SHORT:
		snprintf(error, error_size, "cannot ask rpcbind on %s: %s", _PATH_RPCBINDSOCK, why);
		return REGISTRY_FAILED;
	default:
		snprintf(error, error_size, "cannot reach rpcbind on %s: start it with `rpcbind` as root (%s)",
			 _PATH_RPCBINDSOCK, why);
		return REGISTRY_FAILED;
	}
}

static registry_name_fn name_other; /* set before any thread starts */

static const char *choices = "program number";

void registry_names_others_by(registry_name_fn name, const char *others)
{
	name_other = name;
	choices = others;
}

static void say_taken(uint32_t program, const struct registry_entry *other, char *error, size_t error_size)
{
	char who[REGISTRY_WHO_SIZE] = "another program";

	if (name_other != NULL)
		name_other(other->address, program, PING_MS, who);
	snprintf(error, error_size,
		 "program %u is served at %s (owner %s) already, by %s: choose another %s; stop that process only if this one "
		 "is to take its place",
		 program, other->address, other->owner, who, choices);
}

/* rpcbind refused because of another entry. Removes that when it is dead; REGISTRY_SET: now try again. */
static enum registry_set_result check_other(uint32_t program, uint32_t version, const struct rpc_address *address,
					    const struct patience *patience, char *error, size_t error_size)
{
	struct registry_entry other;
	char why[128] = "";
	bool unset = false, found;
	enum registry_life life;
	enum blocking_result result = find_local(program, version, address, &other, &found, patience, why, sizeof why);

	if (result != BLOCKING_ANSWERED)
		return unanswered(result, why, error, error_size);
	if (!found)
		return REGISTRY_SET;
	if (entry_names(&other, address))
		return REGISTRY_SET;
	life = registry_ping(other.address, program, version, PING_MS, why, sizeof why);
	/* RULE 20: a live registration is never stolen. */
	if (life == REGISTRY_ALIVE) {
		say_taken(program, &other, error, error_size);
		return REGISTRY_TAKEN;
	}
	if (life == REGISTRY_UNKNOWN) {
		snprintf(error, error_size, "cannot ask whether program %u at %s (owner %s) still lives: %s", program,
			 other.address, other.owner, why);
		return REGISTRY_FAILED;
	}
	result = change(RPCBPROC_UNSET, program, version, address, &unset, patience, why, sizeof why);
	if (result != BLOCKING_ANSWERED)
		return unanswered(result, why, error, error_size);
	if (unset)
		return REGISTRY_SET;
	snprintf(error, error_size,
		 "rpcbind keeps a dead entry of program %u at %s that belongs to %s: as that user or root, run "
		 "`rpcinfo -d %u %u`",
		 program, other.address, other.owner, program, version);
	return REGISTRY_FAILED;
}

/* In whatever version: a number belongs to one process, and a replica's program has another version than a front-end's. */
bool registry_taken(uint32_t program, char *error, size_t error_size)
{
	const struct patience patience = {.for_us = 5000000}; /* for a slow one; a missing one is noticed at once */
	struct rpc_address rpcbind = local_rpcbind();
	struct registry_entry other;
	struct mappings mappings;
	char why[SHORTAGE_TEXT];
	bool taken = false;

	if (dump(&rpcbind, &mappings, rpc_clock_us() + patience.for_us, patience.cancel_fd, why, sizeof why) !=
	    BLOCKING_ANSWERED)
		return false;
	for (size_t i = 0; i < mappings.count && !taken; i++) {
		if (mappings.at[i].program != program || !mapping_take(&mappings.at[i], NULL, 0, &other) ||
		    registry_ping(other.address, program, other.version, PING_MS, why, sizeof why) != REGISTRY_ALIVE)
			continue;
		say_taken(program, &other, error, error_size);
		taken = true;
	}
	xdr_free((xdrproc_t)mappings_decode, &mappings);
	return taken;
}

enum registry_set_result registry_set_by(uint32_t program, uint32_t version, const char *address, uint64_t patience_us,
					 int cancel_fd, char *error, size_t error_size)
{
	const struct patience patience = {.for_us = patience_us, .cancel_fd = cancel_fd};
	struct rpc_address own;
	char why[SHORTAGE_TEXT] = "";
	bool set = false;

	if (!rpc_address_parse(address, &own) || rpc_address_port(&own) == 0) {
		snprintf(error, error_size, "cannot register \"%s\": give a numeric address with a port", address);
		return REGISTRY_FAILED;
	}
	for (int attempt = 0; attempt < 2; attempt++) {
		/* rpcbind also says yes when exactly this entry exists already. */
		enum blocking_result result = change(RPCBPROC_SET, program, version, &own, &set, &patience, why, sizeof why);

		if (result != BLOCKING_ANSWERED)
			return unanswered(result, why, error, error_size);
		if (set)
			return REGISTRY_SET;

		enum registry_set_result verdict = check_other(program, version, &own, &patience, error, error_size);

		if (verdict != REGISTRY_SET)
			return verdict;
	}
	snprintf(error, error_size,
		 "rpcbind refuses to register program %u at %s: see its log, and /etc/netconfig for %s", program,
		 address, rpc_address_netid(&own));
	return REGISTRY_FAILED;
}

/* The rest of the time until then. */
static struct patience until(uint64_t deadline_us)
{
	uint64_t now_us = rpc_clock_us();

	return (struct patience){.for_us = deadline_us > now_us ? deadline_us - now_us : 0};
}

void registry_unset_by(uint32_t program, uint32_t version, const char *address, uint64_t deadline_us)
{
	struct rpc_address own;
	struct patience patience = until(deadline_us);
	struct registry_entry entry;
	char why[128];
	bool unset, found;

	if (!rpc_address_parse(address, &own) ||
	    find_local(program, version, &own, &entry, &found, &patience, why, sizeof why) != BLOCKING_ANSWERED ||
	    !found || !entry_names(&entry, &own)) /* RULE 20 */
		return;
	patience = until(deadline_us);
	change(RPCBPROC_UNSET, program, version, &own, &unset, &patience, why, sizeof why);
}

/* --- dead entries ------------------------------------------------------------------------------------------------- */

/* RULE 20: a process that refuses a call is alive: it may serve another version of the program, or have no room. */
static enum registry_life life_of(enum blocking_result result)
{
	switch (result) {
	case BLOCKING_ANSWERED:
	case BLOCKING_REJECTED:
	case BLOCKING_FAILED:
		return REGISTRY_ALIVE;
	case BLOCKING_STRANGER:
	case BLOCKING_LATE:
	case BLOCKING_UNREACHABLE:
		return REGISTRY_DEAD;
	case BLOCKING_SHORT:
		return REGISTRY_UNKNOWN;
	}
	must_not_reach("a call has one of its results");
}

enum registry_life registry_ping(const char *address, uint32_t program, uint32_t version, uint32_t timeout_ms,
				 char *error, size_t error_size)
{
	struct rpc_address peer;

	if (!rpc_address_parse(address, &peer) || rpc_address_port(&peer) == 0)
		return REGISTRY_DEAD;
	return life_of(blocking_call(&(struct blocking_call){
		.address = &peer, .program = program, .version = version, .procedure = NULLPROC,
		.encode = xdr_nothing, .decode = xdr_nothing,
		.deadline_us = rpc_clock_us() + (uint64_t)timeout_ms * 1000u,
	}, error, error_size));
}

/* In the form in which rpcbind prints owners. */
static bool owner_is_ours(const char *owner)
{
	char uid[16];

	snprintf(uid, sizeof uid, "%u", geteuid());
	return geteuid() == 0 || strcmp(owner, uid) == 0;
}

bool registry_clean(uint32_t program, uint32_t version, const char *address)
{
	struct rpc_address dead;
	struct registry_entry entry;
	char why[128];
	bool unset = false, found;

	if (!rpc_address_parse(address, &dead) ||
	    find_local(program, version, &dead, &entry, &found, &usual, why, sizeof why) != BLOCKING_ANSWERED || !found)
		return false;
	if (!entry_names(&entry, &dead) || !owner_is_ours(entry.owner) ||
	    registry_ping(address, program, version, PING_MS, why, sizeof why) != REGISTRY_DEAD) /* RULE 20 */
		return false;
	return change(RPCBPROC_UNSET, program, version, &dead, &unset, &usual, why, sizeof why) == BLOCKING_ANSWERED &&
	       unset;
}
