/* For tests of the router: a shell that records the end of each request, and a clock that advances only when a test
 * says so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frontend/router/router.h"

#define REQUESTS 400

/* A request and what happened to it. */
struct request {
	struct router_request head;
	int number;
	int sends;
	int answers;
	uint32_t to;
	uint64_t view, floor;
	bool at_primary;
	uint32_t timeout_ms;
	enum router_end end;
	const void *payload;
	char text[512];
};

struct world {
	struct router *router;
	struct request requests[REQUESTS];
	int count;
	int sent[4096]; /* numbers in the order of sending */
	int sent_count;
	bool paused;
	int pauses;
	int demands;
	uint64_t now_ms;
};

/* For cmocka: *state is a struct world. At the end every request has been answered once. */
int router_set_up(void **state);
/* Four calls under way, the rest waits. */
int router_set_up_narrow(void **state);
int router_tear_down(void **state);

struct request *write_one(struct world *world, uint32_t timeout_ms);
struct request *read_one(struct world *world, uint32_t timeout_ms);
void reply(struct world *world, struct request *request, enum router_reply how, uint64_t op);
void serve(struct world *world, uint64_t view, uint32_t primary, uint64_t commit);
void pass_time(struct world *world, uint64_t ms);
