/* A front-end of a test's own, for tests of the client: a child process on our own server transport, reached by its
 * address. The test defines the procedures of rpc/frontend.x that it is asked for, place_order_1_svc and so on; to all
 * others it gives no answer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FRONTEND_ADDRESS_SIZE 64

/* Memory, all zeros, that the test and every front-end it forks afterwards see alike; NULL: there is none. */
void *shared_with_frontend(size_t size);
/* Returns once it listens at `address`, of that shared memory; "127.0.0.1:0" there becomes the port that it got. It serves
 * the cluster at that program base, and the one at the usual base. */
void fork_frontend(char address[FRONTEND_ADDRESS_SIZE], uint32_t base);
void stop_frontend(void);
