/* Rule 11: which request of which client became which op. An index over the history: nothing is forgotten while its
 * entry exists. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "rpc/base/uuid.h"

struct client_table;
struct history;

enum client_known {
	CLIENT_NEW,       /* a new request of this client */
	CLIENT_DECIDED,   /* exactly this operation is present: *op */
	CLIENT_REUSED,    /* the number is present with other content: *op */
	CLIENT_PASSED     /* below the client's last, which is *op, and no operation has it: nothing, forever */
};

/* history: borrowed, it outlives the table. */
struct client_table *client_table_new(const struct history *history, uint32_t entries_max);
void client_table_free(struct client_table *table);
uint64_t client_table_memory(const struct client_table *table); /* bytes in use */

/* The place for a client's next request. Valid until the next client_table_add. */
struct client_place {
	struct uuid client;
	uint32_t hash;
	uint32_t *newest;
};

/* Begins a look-up: what it reads first is prefetched, and comes while the caller does something else. */
struct client_place client_table_place(const struct client_table *table, struct uuid client);

/* False when the client has used this number, or a higher one. */
bool client_table_has_room(const struct client_table *table, struct client_place *place, uint64_t request);
/* Adds this entry of the history as the request that the place was looked up for. */
void client_table_add(struct client_table *table, const struct client_place *place, uint32_t entry);

/* content: from body_content_digest. */
enum client_known client_table_lookup(const struct client_table *table, struct uuid client, uint64_t request,
				      struct digest content, uint64_t *op);
