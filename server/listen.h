/* Where this replica listens, and what rpcbind is told of it. rpcbind takes one address for each of tcp and tcp6, so the
 * first listener of each family is registered, or in its place what --advertise says and nothing else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listener;
struct registry;
struct rpc_server;

struct listener_options {
	struct rpc_server *server;
	struct registry *registry;
	uint32_t program;
	const char *const *addresses;
	uint32_t addresses_count;    /* 0: loopback */
	const char *advertise;       /* NULL: what it listens on */
	/* rpcbind has taken the first address. */
	void (*ready)(void *context);
	/* It never will; the line has been said. */
	void (*failed)(void *context, const char *why);
	void *context;
};

/* Listens, and begins to register; address: the first that is registered, borrowed. NULL after one line. */
struct listener *listener_new(const struct listener_options *options, char *address, size_t address_size);
/* After the registry. NULL is fine. */
void listener_free(struct listener *listener);
