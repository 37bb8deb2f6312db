/* What clients and replicas may call: the handlers of rpc/frontend.x. They validate arguments and pass the rest on;
 * postcodes are validated by the primary. */
#pragma once

#include <stdint.h>

struct announced;
struct manager;
struct client_requests;
struct rpc_server;
struct client_service;
struct status;

struct client_service_options {
	struct rpc_server *server;
	uint32_t program_base;
	struct client_requests *requests;
	struct manager *manager;
	struct status *status;
	struct announced *announced;
	uint64_t clients_max; /* --max-clients, or what descriptors allow */
	void (*announce)(void *context); /* a replica has announced itself */
	void *context;
};

/* Serves from here on. */
struct client_service *client_service_new(const struct client_service_options *options);
/* After the server. NULL is fine. */
void client_service_free(struct client_service *service);
