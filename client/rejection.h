/* What a call without an answer means for its request, for session and bench alike. It depends on the kind of failure,
 * never on its text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "client/command.h"
#include "client/outcome.h"
#include "rpc/net/channel.h"

/* Lost, timed out, or certainly not executed. Not for RPC_ANSWERED. After RPC_NOT_SERVED the address belongs to
 * another process: the front-end must be looked up again. */
enum attempt rejection_attempt(enum rpc_status status);

/* One line for people: which process did not answer, why, and, for a rejected call, what to do. */
void rejection_describe(const struct rpc_reply *reply, const struct client_options *options, const char *address,
			char *error, size_t error_size);

/* A replica of another cluster rejected the call, because its number is the requested one. True with a line that says
 * so. Asks at the address, for at most 300 ms: not to be called from a loop that serves others. */
bool rejection_of_strangers(const struct rpc_reply *reply, const struct client_options *options, const char *address,
			    char *error, size_t error_size);
