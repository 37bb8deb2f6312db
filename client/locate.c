#include "client/locate.h"

#include <stdio.h>
#include <string.h>

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

const char *locate_base_option(const struct client_options *options, char option[static 40])
{
	option[0] = 0;
	if (options->program_base != PROGRAM_BASE_DEFAULT)
		snprintf(option, 40, " --program-base %u", options->program_base);
	return option;
}

void locate_missing(const struct client_options *options, char *error, size_t error_size)
{
	char base[40];

	snprintf(error, error_size,
		 "no front-end is registered with rpcbind on %s as program %u: name the host it runs on with --frontend HOST, or "
		 "start it with `justhungry-frontend --data-dir DIR%s`",
		 options->frontend, options->program_base, locate_base_option(options, base));
}

void locate_gone(const struct client_options *options, const char *address, const char *reason, char *error,
		 size_t error_size)
{
	char base[40];

	snprintf(error, error_size,
		 "the front-end at %s does not answer (%s): start it with `justhungry-frontend --data-dir DIR%s`",
		 address, reason, locate_base_option(options, base));
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
	if (count < 0)
		return false;
	if (!count) {
		locate_missing(options, error, error_size);
		return false;
	}
	snprintf(address, 64, "%s", entries[turn % (unsigned int)count].address);
	return true;
}
