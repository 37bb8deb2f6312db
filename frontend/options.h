/* The front-end's command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frontend/views/views.h"
#include "rpc/program/daemon_options.h"

struct frontend_options {
	struct daemon_options daemon;
	const char *replica_hosts; /* "HOST,HOST..." */
	uint32_t max_clients;
	struct views_options views;
};

/* Texts point into argv. On a usage error it prints one line and exits with status 2. */
void frontend_options_parse(int argc, char **argv, struct frontend_options *options);
