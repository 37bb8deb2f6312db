/* What a call without an answer means for its request, for session and bench alike. It goes by the kind of failure,
 * never by its words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "client/command.h"
#include "client/outcome.h"
#include "rpc/net/channel.h"

/* Lost, timed out, or certainly not executed. Not for RPC_ANSWERED. After RPC_NOT_SERVED the address is somebody
 * else's: the front-end must be looked for again. */
enum attempt rejection_attempt(enum rpc_status status);

/* One line for people: who did not answer, why, and for what was rejected, what to do. */
void rejection_describe(const struct rpc_reply *reply, const struct client_options *options, const char *address,
			char *error, size_t error_size);

/* A replica of another cluster rejected the call: its number is the one that was asked for. True with a line that says so.
 * Asks at the address, at most 300 ms: not from a loop that others wait for. */
bool rejection_of_strangers(const struct rpc_reply *reply, const struct client_options *options, const char *address,
			    char *error, size_t error_size);
