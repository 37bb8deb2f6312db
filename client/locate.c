#include "client/locate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/advice.h"
#include "client/environment.h"
#include "client/interrupt.h"
#include "client/place.h"
#include "rpc/net/address.h"

#define ELSEWHERE_MS 300

bool locate_direct(const struct client_options *options)
{
	char host[PLACE_HOST];
	uint16_t port;

	return place_has_port(options->frontend, host, &port);
}

void locate_blame(const struct client_options *options, char *error, size_t error_size)
{
	size_t used = strlen(error);

	if (options->frontend_from_environment)
		snprintf(error + used, error_size - used, " (the host is from " ENVIRONMENT_FRONTEND ")");
}

/* The command that starts a front-end; to be freed. */
static char *start_frontend(const struct client_options *options)
{
	return advice_take(advice_daemon(options, "justhungry-frontend --data-dir DIR"));
}

void locate_missing(const struct client_options *options, char *error, size_t error_size)
{
	char *start = start_frontend(options);

	snprintf(error, error_size,
		 "no front-end is registered with rpcbind on %s as program %u: name the host it runs on with --frontend HOST, or "
		 "start it with `%s`",
		 options->frontend, options->program_base, start);
	locate_blame(options, error, error_size);
	free(start);
}

/* What rpcbind on that host says about the front-end, when only the given address was wrong; empty: nothing. */
static void find_elsewhere(const struct client_options *options, const char *address, char elsewhere[static 64])
{
	struct registry_entry entries[LOCATE_ENTRIES];
	char host[PLACE_HOST], unsaid[512];
	uint16_t port;

	if (!place_has_port(address, host, &port))
		return;
	int count = registry_dump_or_cancel(host, options->program_base, options->program_base, entries, LOCATE_ENTRIES,
					    ELSEWHERE_MS, interrupt_fd(), unsaid, sizeof unsaid);

	for (int i = 0; i < count; i++) {
		if (strcmp(entries[i].address, address) == 0) {
			elsewhere[0] = '\0';
			return;
		}
		snprintf(elsewhere, 64, "%.63s", entries[i].address);
	}
}

void locate_gone(const struct client_options *options, const char *address, const char *reason, char *error,
		 size_t error_size)
{
	char *start = start_frontend(options);
	char elsewhere[64] = "";

	if (locate_direct(options))
		find_elsewhere(options, address, elsewhere);
	if (!locate_direct(options))
		snprintf(error, error_size,
			 "the front-end at %s, as rpcbind on %s has it, does not answer (%s): start it with `%s`; if it runs, "
			 "that address does not lead to it from here: see its --listen and --advertise",
			 address, options->frontend, reason, start);
	else if (elsewhere[0] != '\0')
		snprintf(error, error_size,
			 "no front-end answers at %s (%s), but one is registered there at %s: use --frontend %s, or restart it "
			 "with another --listen",
			 address, reason, elsewhere, elsewhere);
	else
		snprintf(error, error_size,
			 "the front-end at %s does not answer (%s): start it with `%s`, or see its `ready` line for the address "
			 "that it has",
			 address, reason, start);
	locate_blame(options, error, error_size);
	free(start);
}

static bool is_loopback(const struct registry_entry *entry)
{
	struct rpc_address address;

	return rpc_address_parse(entry->address, &address) && rpc_address_is_loopback(&address);
}

/* Drops the addresses that only the queried host itself can reach. Returns the remaining count; 0 with a line: none is
 * left. */
static int drop_loopback_of_others(const struct client_options *options, uint32_t timeout_ms, struct registry_entry *entries,
				   int count, char *error, size_t error_size)
{
	int loopback = 0, left = 0;

	for (int i = 0; i < count; i++)
		loopback += is_loopback(&entries[i]);
	if (loopback == 0 || place_is_here(options->frontend, timeout_ms))
		return count;
	for (int i = 0; i < count; i++) {
		if (!is_loopback(&entries[i]))
			entries[left++] = entries[i];
	}
	if (left > 0)
		return left;
	snprintf(error, error_size,
		 "the front-end on %s listens at %s, which only %s itself reaches: restart it there with --listen and an "
		 "address of %s that is reached from here (its replicas, too)",
		 options->frontend, entries[0].address, options->frontend, options->frontend);
	return 0;
}

const char *locate_choose(const struct client_options *options, struct registry_entry *entries, int count,
			  unsigned int turn, uint32_t timeout_ms, char *error, size_t error_size)
{
	count = drop_loopback_of_others(options, timeout_ms, entries, count, error, error_size);
	return count == 0 ? NULL : entries[turn % (unsigned int)count].address;
}

static bool resolve_direct(const struct client_options *options, unsigned int turn, uint32_t timeout_ms,
			   char address[static 64], char *error, size_t error_size)
{
	char host[PLACE_HOST];
	uint16_t port;

	if (place_has_port(options->frontend, host, &port) &&
	    place_resolve(host, port, turn, timeout_ms, address, error, error_size))
		return true;
	locate_blame(options, error, error_size);
	return false;
}

bool locate_frontend(const struct client_options *options, unsigned int turn, uint32_t timeout_ms,
		     char address[static 64], char *error, size_t error_size)
{
	struct registry_entry entries[LOCATE_ENTRIES];
	const char *chosen;
	int count;

	if (locate_direct(options))
		return resolve_direct(options, turn, timeout_ms, address, error, error_size);
	count = registry_dump_or_cancel(options->frontend, options->program_base, options->program_base, entries,
					LOCATE_ENTRIES, timeout_ms, interrupt_fd(), error, error_size);
	if (count < 0) {
		locate_blame(options, error, error_size);
		return false;
	}
	if (!count) {
		locate_missing(options, error, error_size);
		return false;
	}
	chosen = locate_choose(options, entries, count, turn, timeout_ms, error, error_size);
	if (chosen == NULL)
		return false;
	snprintf(address, 64, "%.63s", chosen);
	return true;
}
