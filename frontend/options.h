/* The front-end's command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frontend/views/views.h"

#define OPTIONS_LISTEN_MAX 8

struct options {
	const char *data_dir;
	const char *replica_hosts; /* "HOST,HOST..." */
	const char *listen[OPTIONS_LISTEN_MAX];
	uint32_t listen_count;     /* 0: 127.0.0.1 and ::1 */
	const char *advertise;     /* NULL: as bound */
	uint32_t program_base;
	uint32_t max_clients;
	struct views_options views;
};

/* Texts point into argv. On a usage error it prints one line and exits with status 2. */
void options_parse(int argc, char **argv, struct options *options);
