/* A host's addresses by a deadline. Numeric addresses and "localhost" need no query; for a name the resolver runs in a
 * thread of its own, because getaddrinfo may take half a minute on a silent name server and cannot be interrupted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rpc/net/address.h"

/* Writes at most addresses_max addresses with `port`, IPv4 first. Returns the count, or 0 with one clause in error.
 * Gives up at once when cancel_fd becomes readable (0: none). */
int resolve_host(const char *host, uint16_t port, uint64_t deadline_us, int cancel_fd,
		 struct rpc_address *addresses, int addresses_max, char *error, size_t error_size);
