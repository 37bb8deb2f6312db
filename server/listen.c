#include "server/listen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/address.h"
#include "rpc/net/registry.h"
#include "rpc/net/server.h"
#include "rpc/replica.h"

#define FAMILIES 2 /* tcp, tcp6 */

/* An address that rpcbind is told of. */
struct registration {
	struct listener *listener;
	char address[LIMIT_ADDRESS_BYTES];
	bool failed;                 /* the last try */
};

struct listener {
	struct listener_options options;
	struct registration registrations[FAMILIES];
	uint32_t registrations_count;
	bool ready;                  /* rpcbind has taken the first of them */
	bool over;                   /* or it never will */
};

static void fail(struct listener *listener, const char *line, const char *why)
{
	log_error("node", "%s", line);
	listener->over = true;
	listener->options.failed(listener->options.context, why);
}

static void registered(void *context, enum registry_set_result result, const char *error)
{
	struct registration *registration = context;
	struct listener *listener = registration->listener;
	bool first = registration == &listener->registrations[0];

	if (listener->over)
		return; /* one line was said already */
	switch (result) {
	case REGISTRY_SET:
		if (first && !listener->ready) {
			listener->ready = true;
			listener->options.ready(listener->options.context);
		} else if (listener->ready && registration->failed) {
			log_info("node", "registered again address=%s", registration->address);
		}
		registration->failed = false;
		return;
	case REGISTRY_TAKEN: /* RULE 20 */
		fail(listener, error, "registration taken");
		return;
	case REGISTRY_SLOW:
		registration->failed = true;
		if (first)
			log_warn("node", "%s", error);
		return;
	case REGISTRY_FAILED:
		registration->failed = true;
		if (first && !listener->ready)
			fail(listener, error, "not registered");
		else if (first) /* RULE 17: rpcbind is for finding, and decides nothing */
			log_warn("node", "%s: serving on, and registering again when it is back", error);
		else
			log_debug("node", "%s", error);
		return;
	}
}

static void keep(struct listener *listener, const char *address)
{
	struct registration *registration = &listener->registrations[listener->registrations_count++];

	must(listener->registrations_count <= FAMILIES);
	registration->listener = listener;
	snprintf(registration->address, sizeof registration->address, "%s", address);
	registry_keep(listener->options.registry, listener->options.program, JH_REPLICA_V1, registration->address,
		      registered, registration);
}

/* The first listener of each family. */
struct listening {
	struct rpc_address tcp, tcp6;   /* length 0: none */
	bool all_loopback;
};

static struct rpc_address *of_family(struct listening *listening, int family)
{
	return family == AF_INET ? &listening->tcp : &listening->tcp6;
}

static bool listen_on(struct listener *listener, const char *text, bool optional, struct listening *listening)
{
	char error[256], bound[LIMIT_ADDRESS_BYTES];
	struct rpc_address address;

	if (!rpc_server_listen(listener->options.server, text, bound, sizeof bound, error, sizeof error)) {
		if (!optional)
			log_error("node", "%s", error);
		return optional;
	}
	must(rpc_address_parse(bound, &address));
	if (!rpc_address_is_loopback(&address))
		listening->all_loopback = false;

	struct rpc_address *first = of_family(listening, address.storage.ss_family);

	if (first->length == 0) {
		*first = address;
	} else if (listener->options.advertise == NULL) {
		rpc_address_format(first, error, sizeof error);
		log_info("node",
			 "listening on %s too, but not registered there: rpcbind takes one address of a kind, and that "
			 "is %s",
			 bound, error);
	}
	return true;
}

static bool listen_each(struct listener *listener, struct listening *listening)
{
	if (listener->options.addresses_count == 0)
		return listen_on(listener, "127.0.0.1", false, listening) && listen_on(listener, "[::1]", true, listening);
	for (uint32_t i = 0; i < listener->options.addresses_count; i++) {
		if (!listen_on(listener, listener->options.addresses[i], false, listening))
			return false;
	}
	return true;
}

/* The port that --advertise leaves out is that of the listener of its family. */
static bool keep_advertised(struct listener *listener, struct listening *listening)
{
	const char *text = listener->options.advertise;
	struct rpc_address address;
	char full[RPC_ADDRESS_TEXT];

	must(rpc_address_parse(text, &address));
	if (rpc_address_port(&address) == 0) {
		const struct rpc_address *listener = of_family(listening, address.storage.ss_family);

		if (listener->length == 0) {
			log_error("node", "--advertise %s needs a port, or a --listen address of the same kind", text);
			return false;
		}
		rpc_address_set_port(&address, rpc_address_port(listener));
	}
	if (listening->all_loopback && !rpc_address_is_loopback(&address))
		log_warn("node",
			 "advertising %s but listening on this host only: unless something forwards to it, add "
			 "--listen %s",
			 text, address.storage.ss_family == AF_INET ? "0.0.0.0" : "[::]");
	rpc_address_format(&address, full, sizeof full);
	keep(listener, full);
	return true;
}

static bool keep_all(struct listener *listener, struct listening *listening)
{
	char text[RPC_ADDRESS_TEXT];

	if (listener->options.advertise != NULL)
		return keep_advertised(listener, listening);
	if (listening->tcp.length > 0) {
		rpc_address_format(&listening->tcp, text, sizeof text);
		keep(listener, text);
	}
	if (listening->tcp6.length > 0) {
		rpc_address_format(&listening->tcp6, text, sizeof text);
		keep(listener, text);
	}
	return true;
}

struct listener *listener_new(const struct listener_options *options, char *address, size_t address_size)
{
	struct listener *listener = calloc(1, sizeof *listener);
	struct listening listening = {.all_loopback = true};

	must_allocate(listener);
	listener->options = *options;
	if (!listen_each(listener, &listening) || !keep_all(listener, &listening)) {
		free(listener);
		return NULL;
	}
	snprintf(address, address_size, "%s", listener->registrations[0].address);
	return listener;
}

void listener_free(struct listener *listener)
{
	free(listener);
}
