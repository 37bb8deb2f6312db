/* Where this replica listens, and what rpcbind is told of it. rpcbind takes one address for each of tcp and tcp6
 * (design section 1), so the first listener of each family is registered, or in its place what --advertise says and
 * nothing else. */
#pragma once

#include <stdbool.h>

struct node;

/* Listens, and begins to register; prints `ready` when rpcbind has said yes. False after one line. */
bool listen_all(struct node *node);
