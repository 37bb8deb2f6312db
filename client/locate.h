/* Where is the front-end? The words for it, shared by the session and the bench: rpcbind's answer, or the address
 * given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/command.h"
#include "rpc/net/registry.h"

#define LOCATE_ENTRIES 64

/* --frontend is HOST:PORT: no rpcbind is needed. */
bool locate_direct(const struct client_options *options);

/* Asks rpcbind (blocking, at most timeout_ms; a signal ends it). Of several registrations (IPv4 and IPv6) `turn` chooses,
 * so that a dead one does not hide a live one. False: error names what is missing and what to start. */
bool locate_frontend(const struct client_options *options, unsigned int turn, uint32_t timeout_ms,
		     char address[static 64], char *error, size_t error_size);

/* Of what rpcbind has said: the entry whose turn it is. NULL with a line: they are of no use from here. */
const char *locate_choose(const struct client_options *options, struct registry_entry *entries, int count,
			  unsigned int turn, uint32_t timeout_ms, char *error, size_t error_size);

/* "no front-end is registered ...: start it with ...". */
void locate_missing(const struct client_options *options, char *error, size_t error_size);

/* "the front-end at ADDRESS does not answer (REASON): start it with ...", or where it is instead. */
void locate_gone(const struct client_options *options, const char *address, const char *reason, char *error,
		 size_t error_size);

/* Appends to an error about the host asked that it is the environment's, not the command line's. */
void locate_blame(const struct client_options *options, char *error, size_t error_size);
