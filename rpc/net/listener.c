#include "rpc/net/listener.h"

#include <stdio.h>
#include <stdlib.h>

#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/address.h"
#include "rpc/net/listen_socket.h"
#include "rpc/net/registry.h"
#include "rpc/net/server.h"

#define FAMILIES 2 /* tcp, tcp6 */

/* An address that is registered with rpcbind. */
struct registration {
	struct listener *listener;
	char address[LIMIT_ADDRESS_BYTES];
	bool required;               /* not ready without it */
	bool settled;                /* registered, or rpcbind has refused one that is not required */
	bool failing;                /* the last try */
};

struct listener {
	struct listener_options options;
	struct registration registrations[FAMILIES];
	uint32_t registrations_count;
	bool ready;
	bool over;                   /* failed or replaced has been called */
};

/* --- answers of rpcbind ------------------------------------------------------------------------------------------- */

static void end(struct listener *listener, void (*call_back)(void *context, const char *line), const char *line)
{
	listener->over = true;
	call_back(listener->options.context, line);
}

static bool may_begin(const struct listener *listener)
{
	uint32_t awaited = listener->options.ready_when_all ? listener->registrations_count : 1;

	for (uint32_t i = 0; i < awaited; i++) {
		if (!listener->registrations[i].settled)
			return false;
	}
	return true;
}

static void settle(struct registration *registration)
{
	struct listener *listener = registration->listener;

	registration->settled = true;
	if (listener->ready || !may_begin(listener))
		return;
	listener->ready = true;
	listener->options.ready(listener->options.context);
}

static void on_set(struct registration *registration)
{
	if (registration->listener->ready && registration->failing)
		log_info("registry", "registered again address=%s", registration->address);
	registration->failing = false;
	settle(registration);
}

/* One line is enough when rpcbind refuses two families for one reason. */
static bool is_worth_a_warning(const struct registration *registration)
{
	const struct registration *first = &registration->listener->registrations[0];

	return registration->required && (registration == first || !first->failing);
}

static void on_failure(struct registration *registration, enum registry_set_result result, const char *error)
{
	struct listener *listener = registration->listener;
	bool is_refused = result == REGISTRY_FAILED;

	registration->failing = true;
	if (is_refused && registration->required && !listener->ready) {
		end(listener, listener->options.failed, error);
		return;
	}
	if (!is_worth_a_warning(registration))
		log_debug("registry", "%s", error);
	else if (is_refused) /* RULE 17: rpcbind is for discovery, and decides nothing */
		log_warn("registry", "%s: serving on, and registering again when it is back", error);
	else
		log_warn("registry", "%s", error);
	if (is_refused && !registration->required)
		settle(registration);
}

/* RULE 20: a live registration is never stolen. */
static void on_taken(struct registration *registration, const char *error)
{
	struct listener *listener = registration->listener;

	registration->failing = true;
	if (!listener->ready)
		end(listener, listener->options.failed, error);
	else if (listener->options.replaced != NULL)
		end(listener, listener->options.replaced, error);
	else
		log_warn("registry", "%s", error);
}

static void registered(void *context, enum registry_set_result result, const char *error)
{
	struct registration *registration = context;

	if (registration->listener->over)
		return;
	switch (result) {
	case REGISTRY_SET:
		on_set(registration);
		return;
	case REGISTRY_TAKEN:
		on_taken(registration, error);
		return;
	case REGISTRY_SLOW:
	case REGISTRY_FAILED:
		on_failure(registration, result, error);
		return;
	}
}

/* --- what is registered ------------------------------------------------------------------------------------------- */

/* The first listener of each family. */
struct listening {
	struct rpc_address tcp, tcp6; /* length 0: none */
	bool is_all_loopback;
};

static struct rpc_address *of_family(struct listening *listening, int family)
{
	return family == AF_INET ? &listening->tcp : &listening->tcp6;
}

static void add(struct listener *listener, const struct rpc_address *address)
{
	bool is_first = listener->registrations_count == 0;
	struct registration *registration = &listener->registrations[listener->registrations_count++];

	must(listener->registrations_count <= FAMILIES);
	registration->listener = listener;
	registration->required = is_first ||
				 (listener->options.ready_when_all && listener->options.addresses_count > 0);
	rpc_address_format(address, registration->address, sizeof registration->address);
}

/* If --advertise has no port, the listener of its family supplies it. */
static bool add_advertised(struct listener *listener, struct listening *listening, char *error, size_t error_size)
{
	const char *text = listener->options.advertise;
	struct rpc_address address;

	must(rpc_address_parse(text, &address));

	bool is_v4 = address.storage.ss_family == AF_INET;

	if (rpc_address_port(&address) == 0) {
		const struct rpc_address *own = of_family(listening, address.storage.ss_family);

		if (own->length == 0) {
			snprintf(error, error_size, "--advertise %s needs a port, or a --listen address of the same kind",
				 text);
			return false;
		}
		rpc_address_set_port(&address, rpc_address_port(own));
	}
	if (listening->is_all_loopback && !rpc_address_is_loopback(&address))
		log_warn("registry",
			 "advertising %s but listening on this host only: unless something forwards to it, add "
			 "--listen %s",
			 text, is_v4 ? "0.0.0.0" : "[::]");
	add(listener, &address);
	return true;
}

static bool add_all(struct listener *listener, struct listening *listening, char *error, size_t error_size)
{
	if (listener->options.advertise != NULL)
		return add_advertised(listener, listening, error, error_size);
	if (listening->tcp.length > 0)
		add(listener, &listening->tcp);
	if (listening->tcp6.length > 0)
		add(listener, &listening->tcp6);
	return true;
}

/* --- listening ---------------------------------------------------------------------------------------------------- */

static bool listen_on(struct listener *listener, const char *text, struct listening *listening, char *error,
		      size_t error_size)
{
	char bound[RPC_ADDRESS_TEXT], first_text[RPC_ADDRESS_TEXT];
	struct rpc_address address;

	if (!rpc_server_listen(listener->options.server, text, bound, sizeof bound, error, error_size))
		return false;
	must(rpc_address_parse(bound, &address));
	if (!rpc_address_is_loopback(&address))
		listening->is_all_loopback = false;

	struct rpc_address *first = of_family(listening, address.storage.ss_family);

	if (first->length == 0) {
		*first = address;
	} else if (listener->options.advertise == NULL) {
		rpc_address_format(first, first_text, sizeof first_text);
		log_info("registry",
			 "listening on %s too, but not registered there: rpcbind takes one address of a kind, and that "
			 "is %s",
			 bound, first_text);
	}
	return true;
}

static bool listen_on_all(struct listener *listener, struct listening *listening, char *error, size_t error_size)
{
	const struct listener_options *options = &listener->options;

	if (options->addresses_count == 0) {
		if (!listen_on(listener, "127.0.0.1", listening, error, error_size))
			return false;
		listen_on(listener, "[::1]", listening, error, error_size); /* a host may have no IPv6 */
		return true;
	}
	for (uint32_t i = 0; i < options->addresses_count; i++) {
		if (!listen_on(listener, options->addresses[i], listening, error, error_size))
			return false;
	}
	return true;
}

bool listener_is_possible(uint32_t program, const char *const *addresses, uint32_t addresses_count, char *error,
			  size_t error_size)
{
	if (registry_taken(program, error, error_size))
		return false;
	for (uint32_t i = 0; i < addresses_count; i++) {
		if (!listen_socket_possible(addresses[i], error, error_size))
			return false;
	}
	return true;
}

struct listener *listener_new(const struct listener_options *options, char *address, size_t address_size, char *error,
			      size_t error_size)
{
	struct listener *listener = calloc(1, sizeof *listener);
	struct listening listening = {.is_all_loopback = true};

	must_allocate(listener);
	listener->options = *options;
	if (!listen_on_all(listener, &listening, error, error_size) ||
	    !add_all(listener, &listening, error, error_size)) {
		free(listener);
		return NULL;
	}
	must(listener->registrations_count > 0);
	snprintf(address, address_size, "%s", listener->registrations[0].address);
	for (uint32_t i = 0; i < listener->registrations_count; i++)
		registry_keep(options->registry, options->program, options->version, listener->registrations[i].address,
			      registered, &listener->registrations[i]);
	return listener;
}

void listener_free(struct listener *listener)
{
	free(listener);
}
