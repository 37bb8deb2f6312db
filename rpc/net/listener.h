/* Where a daemon listens, and what it registers with rpcbind. rpcbind takes one address for each of tcp and tcp6, so
 * the first listener of each family is registered; with --advertise, only the advertised address.
 *
 * It refuses to decide what a lost registration means to the daemon: that is what the call-backs are for. */
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
	uint32_t program, version;
	const char *const *addresses; /* borrowed for listener_new */
	uint32_t addresses_count;     /* 0: loopback, with ::1 only where it exists */
	const char *advertise;        /* address for others to use, with or without a port; NULL: what it listens on */
	bool ready_when_all;          /* ready waits for every address, loopback's ::1 excepted; otherwise for the first */
	/* rpcbind has accepted what ready waits for: once. */
	void (*ready)(void *context);
	/* It never will; one line. No further call-back. */
	void (*failed)(void *context, const char *line);
	/* After ready: another process is registered now; one line. No further call-back. NULL: a warning, and it
	 * continues. */
	void (*replaced)(void *context, const char *line);
	void *context;
};

/* RULE 20: before anything is written. False with one line in error when a live process serves the program, or when
 * listening at an address would fail. */
bool listener_is_possible(uint32_t program, const char *const *addresses, uint32_t addresses_count, char *error,
			  size_t error_size);

/* Listens and starts to register. address: the first that is registered. NULL with one line in error. */
struct listener *listener_new(const struct listener_options *options, char *address, size_t address_size, char *error,
			      size_t error_size);
/* Call after freeing the registry. NULL is fine. */
void listener_free(struct listener *listener);
