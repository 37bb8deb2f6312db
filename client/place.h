/* The value of --frontend: a host whose rpcbind is asked, or HOST:PORT, which is contacted directly. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_HOST 256

/* "localhost:40001", "host.example:40001", "192.0.2.7:40001", "[::1]:40001": the host without brackets, and the port. */
bool place_has_port(const char *text, char host[static PLACE_HOST], uint16_t *port);
/* The port is invalid, or missing after a colon. */
bool place_is_malformed(const char *text);
/* Resolves to a numeric address with the port; among several (localhost is 127.0.0.1 and ::1) `turn` chooses. False
 * with a line. */
bool place_resolve(const char *host, uint16_t port, unsigned int turn, uint32_t timeout_ms, char address[static 64],
		   char *error, size_t error_size);
/* That host is this one, so its loopback addresses are ours. */
bool place_is_here(const char *host, uint32_t timeout_ms);
