/* What others are shown of a client id. The id itself lets whoever has it repeat or cancel its owner's requests, so no answer,
 * log line or file for people may hold that of somebody else. */
#pragma once

#include "rpc/base/uuid.h"

/* The first 16 bytes of SHA-256(cluster, client), 16 bytes each: the same for all requests of a client, another one in another
 * cluster. The nil client (of an order that was loaded) stays nil. */
struct uuid client_alias(struct uuid cluster, struct uuid client);
