/* Calls that wait for an entry of the log, or for an older call of the same request. Each list is one number that its owner
 * keeps, 0 when it is empty. This module does not know what they wait for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "rpc/base/uuid.h"

/* A SUBMIT or QUERY that is kept for later. */
struct held_call {
	uint64_t token;
	uint64_t view;
	uint64_t since_ms;
	uint64_t floor;
	struct uuid client;
	uint64_t request;
	struct digest content;
	bool ends_doubt;
	bool admitting;     /* waits for the log, and counts as in validation meanwhile */
};

struct waiters;

struct waiters *waiters_new(void);
void waiters_free(struct waiters *waiters);

/* The call is copied. */
void waiters_add(struct waiters *waiters, uint32_t *list, const struct held_call *call);

/* Takes one off the list, the latest first; false when it is empty. */
bool waiters_take(struct waiters *waiters, uint32_t *list, struct held_call *call);

/* In all lists together. */
uint64_t waiters_count(const struct waiters *waiters);
