#include "client/locate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/advice.h"
#include "client/environment.h"
#include "client/interrupt.h"
#include "rpc/address.h"

bool locate_direct(const struct client_options *options, char address[static 64])
{
	struct rpc_address parsed;

	if (!rpc_address_parse(options->frontend, &parsed) || !rpc_address_port(&parsed))
		return false;
	rpc_address_format(&parsed, address, 64);
	return true;
}

void locate_blame(const struct client_options *options, char *error, size_t error_size)
{
	size_t used = strlen(error);

	if (options->frontend_from_environment)
		snprintf(error + used, error_size - used, " (the host is from " ENVIRONMENT_FRONTEND ")");
}

/* How to start a front-end; to be freed. */
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

void locate_gone(const struct client_options *options, const char *address, const char *reason, char *error,
		 size_t error_size)
{
	char *start = start_frontend(options);

	snprintf(error, error_size, "the front-end at %s does not answer (%s): start it with `%s`", address, reason, start);
	locate_blame(options, error, error_size);
	free(start);
}

bool locate_frontend(const struct client_options *options, unsigned int turn, uint32_t timeout_ms,
		     char address[static 64], char *error, size_t error_size)
{
	struct registry_entry entries[LOCATE_ENTRIES];
	int count;

	if (locate_direct(options, address))
		return true;
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
	snprintf(address, 64, "%s", entries[turn % (unsigned int)count].address);
	return true;
}
