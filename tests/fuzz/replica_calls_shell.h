/* The surroundings of the core in replica_calls_fuzz.c: a replica with a real order history, and neither disk nor
 * socket. Writes become durable when the input says so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/replica.h"
#include "server/machine/machine.h"
#include "server/replica/replica.h"

#define REQUESTS 128 /* more than messages: a token is never reused */
#define CONNECTS 8

struct connect {
	uint32_t id;
	struct uuid uuid, incarnation;
	uint64_t push; /* token of the last push to it; 0: none */
};

struct shell {
	struct replica *replica;
	struct replica_actions actions;
	struct machine *machine, *staging;
	const jh_state_chunk *piece;
	struct connect connects[CONNECTS];
	uint32_t connects_count;
	uint8_t bodies[REQUESTS][LIMIT_BODY_BYTES / 8];
	uint32_t sizes[REQUESTS];
	bool waits[REQUESTS]; /* a token not yet answered */
	bool proposes[REQUESTS];
	uint64_t token;
	uint64_t ticket;
	uint64_t now_ms;
	struct replica_event then; /* the event that results from the actions; kind RECOVER_BASE: none */
	bool full, ended;
};

/* One life: shell is zeroed before. */
void shell_start(struct shell *shell);
void shell_end(struct shell *shell);
/* The core processes the event, and whatever follows from it. */
void shell_step(struct shell *shell, const struct replica_event *event);
/* For a call that is to be answered. */
uint64_t shell_take_token(struct shell *shell);
struct uuid shell_uuid(uint8_t byte);
