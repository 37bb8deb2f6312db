#include "server/listen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/net/address.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "server/announce.h"
#include "server/neighbours.h"
#include "server/node.h"

static void ready(struct node *node)
{
	node->ready = true;
	log_plain(STDOUT_FILENO, "ready id=%" PRIu32 " program=%" PRIu32 " address=%s", node->options.id,
		  node->options.program_base + node->options.id, node->address);
	announce(node);
	neighbours_look(node);
}

static void registered(void *context, enum registry_set_result result, const char *error)
{
	struct registration *registration = context;
	struct node *node = registration->node;
	bool first = registration == &node->registrations[0];

	if (node->end != NODE_RUNS)
		return; /* one line was said already */
	switch (result) {
	case REGISTRY_SET:
		if (first && !node->ready)
			ready(node);
		else if (node->ready && registration->failed)
			log_info("node", "registered again address=%s", registration->address);
		registration->failed = false;
		return;
	case REGISTRY_TAKEN: /* RULE 20 */
		log_error("node", "%s", error);
		node_end(node, NODE_FAILED, "registration taken");
		return;
	case REGISTRY_SLOW:
		registration->failed = true;
		if (first)
			log_warn("node", "%s", error);
		return;
	case REGISTRY_FAILED:
		registration->failed = true;
		if (first && !node->ready) {
			log_error("node", "%s", error);
			node_end(node, NODE_FAILED, "not registered");
		} else if (first) {
			/* RULE 17: rpcbind is for finding, not for judging. */
			log_warn("node", "%s: serving on, and registering again when it is back", error);
		} else {
			log_debug("node", "%s", error);
		}
		return;
	}
}

static void keep(struct node *node, const char *address)
{
	struct registration *registration = &node->registrations[node->registrations_count++];

	must(node->registrations_count <= sizeof node->registrations / sizeof node->registrations[0]);
	registration->node = node;
	snprintf(registration->address, sizeof registration->address, "%s", address);
	if (node->address[0] == 0)
		snprintf(node->address, sizeof node->address, "%s", address);
	registry_keep(node->registry, node->options.program_base + node->options.id, JH_REPLICA_V1,
		      registration->address, registered, registration);
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

static bool listen_on(struct node *node, const char *text, bool optional, struct listening *listening)
{
	char error[256], bound[LIMIT_ADDRESS_BYTES];
	struct rpc_address address;

	if (!rpc_server_listen(node->server, text, bound, sizeof bound, error, sizeof error)) {
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
	} else if (node->options.advertise == NULL) {
		rpc_address_format(first, error, sizeof error);
		log_info("node",
			 "listening on %s too, but not registered there: rpcbind takes one address of a kind, and that "
			 "is %s",
			 bound, error);
	}
	return true;
}

static bool listen_each(struct node *node, struct listening *listening)
{
	if (node->options.listen_count == 0)
		return listen_on(node, "127.0.0.1", false, listening) && listen_on(node, "[::1]", true, listening);
	for (uint32_t i = 0; i < node->options.listen_count; i++) {
		if (!listen_on(node, node->options.listen[i], false, listening))
			return false;
	}
	return true;
}

/* The port that --advertise leaves out is that of the listener of its family. */
static bool keep_advertised(struct node *node, struct listening *listening)
{
	const char *text = node->options.advertise;
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
	keep(node, full);
	return true;
}

bool listen_all(struct node *node)
{
	struct listening listening = {.all_loopback = true};
	char text[RPC_ADDRESS_TEXT];

	if (!listen_each(node, &listening))
		return false;
	if (node->options.advertise != NULL)
		return keep_advertised(node, &listening);
	if (listening.tcp.length > 0) {
		rpc_address_format(&listening.tcp, text, sizeof text);
		keep(node, text);
	}
	if (listening.tcp6.length > 0) {
		rpc_address_format(&listening.tcp6, text, sizeof text);
		keep(node, text);
	}
	return true;
}
