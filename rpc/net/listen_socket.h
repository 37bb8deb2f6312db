/* A socket to listen on, in two steps: one that is bound but does not listen refuses connections, as if no process were
 * there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rpc/net/address.h"

/* A numeric address, with or without the port (0: any). -1 with one line in error; *bound has the actual port. */
int listen_socket_bind(const char *address, struct rpc_address *bound, char *error, size_t error_size);
/* False with one line in error, and fd closed. */
bool listen_socket_begin(int fd, const char *address, int backlog, char *error, size_t error_size);
/* Whether listening there would succeed: a check before any step that would be left half done. False with that line. */
bool listen_socket_possible(const char *address, char *error, size_t error_size);
