/* A front-end of a test's own, for tests of the client: a child process on our own server transport, reached by its
 * address. The test defines the procedures of rpc/frontend.x that it needs, place_order_2_svc and so on; all others
 * get no answer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rpc/frontend.h"

#define FRONTEND_ADDRESS_SIZE 64

/* Memory, all zeros, that the test and every front-end it forks afterwards see alike; NULL: there is none. From here on
 * nobody dies of what a peer no longer reads. */
void *shared_with_frontend(size_t size);
/* Returns once it listens at `address`, of that shared memory; empty, it becomes a free port of 127.0.0.1. It serves the
 * cluster at that program base, and the one at the usual base. */
void fork_frontend(char address[FRONTEND_ADDRESS_SIZE], uint32_t base);
void stop_frontend(void);

/* Answers for the test's procedures, to be returned: the order is placed, as op 7; the request is void; and what is
 * wrong. */
bool_t frontend_places(jh_write_result *result);
bool_t frontend_voids(jh_write_result *result);
bool_t frontend_complains(jh_problem *problem, jh_reason reason, const char *why);
