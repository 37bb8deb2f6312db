/* Locates the front-end, for the session and the bench: rpcbind's answer, or the address given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/command.h"
#include "rpc/net/registry.h"

#define LOCATE_ENTRIES 64

/* --frontend is HOST:PORT: no rpcbind is needed. */
bool locate_direct(const struct client_options *options);

/* Asks rpcbind (blocking, at most timeout_ms; a signal ends it). Among several registrations (IPv4 and IPv6) `turn`
 * chooses, so that a dead one does not hide a live one. False: error names what is missing and the command that starts
 * it. */
bool locate_frontend(const struct client_options *options, unsigned int turn, uint32_t timeout_ms,
		     char address[static 64], char *error, size_t error_size);

/* Selects one of rpcbind's answers by turn. NULL with a line: none is usable from here. */
const char *locate_choose(const struct client_options *options, struct registry_entry *entries, int count,
			  unsigned int turn, uint32_t timeout_ms, char *error, size_t error_size);

/* "no front-end is registered ...: start it with ...". */
void locate_missing(const struct client_options *options, char *error, size_t error_size);

/* "the front-end at ADDRESS does not answer (REASON): start it with ...", or its present address instead. */
void locate_gone(const struct client_options *options, const char *address, const char *reason, char *error,
		 size_t error_size);

/* Appends to an error about the queried host that the environment, not the command line, named it. */
void locate_blame(const struct client_options *options, char *error, size_t error_size);
