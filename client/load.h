/* A closed loop of clients, as bench runs it. Each has a TCP connection and a client id of its own and one request in
 * flight, and repeats it with the same number when a connection is lost, until the request's deadline. One thread,
 * event driven. It prints nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/command.h"
#include "client/histogram.h"

struct load_result;

struct load_options {
	const struct client_options *client;
	uint32_t clients;
	uint64_t duration_us; /* 0: until `orders` */
	uint64_t orders;      /* stop after so many acknowledged or failed; 0: until `duration_us` */
	uint32_t reads_percent;
	uint32_t read_orders; /* how many orders a read requests */
	uint32_t postcodes;
	bool fresh_clients; /* a new client id for every order */
	FILE *log;          /* a line for each acknowledged order: CLIENT REQUEST POSTCODE OP NUMBER; or NULL */
	void (*progress)(void *context, const struct load_result *result); /* five times a second; may be NULL */
	/* No client has been answered for this long; error describes the last problem and may be empty. Called after
	 * two seconds, then every five. May be NULL. */
	void (*silence)(void *context, uint64_t silent_us, const char *error);
	void *context;
};

struct load_result {
	struct histogram latency_us; /* of every request that was done */
	uint64_t orders, reads;      /* completed */
	uint64_t refused;
	uint64_t errors;     /* unknown or unavailable at their deadline */
	uint64_t unknown;    /* errors whose request may have been executed */
	uint64_t max_gap_us; /* the longest that any client waited for one answer, whatever its outcome */
	uint64_t elapsed_us; /* from the first request, when all were connected, to the last answer */
	uint32_t connected;  /* clients that have a connection */
	bool started;        /* all clients could connect */
	int log_errno;       /* why the log could not be written, which stopped the run; 0: it could */
	char error[512];     /* text of the last problem or refusal */
};

/* Runs until done or until a signal. After a first signal requests under way are waited for; a second one ends that
 * wait. When no client has been answered for five seconds at the end of duration_us, or, without a duration, for the
 * clients' timeout, requests under way are not waited for and count as errors. */
void load_run(const struct load_options *options, struct load_result *result);
