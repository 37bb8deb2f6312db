#include "server/machine/client_table.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/base/shortage.h"
#include "server/machine/body.h"
#include "server/machine/chains.h"
#include "server/machine/history.h"

struct client_table {
	const struct history *history;
	struct chains chains; /* a client's entries; requests rise along a chain */
};

struct client_table *client_table_new(const struct history *history, uint32_t entries_max)
{
	struct client_table *table = calloc(1, sizeof *table);

	must_allocate(table);
	table->history = history;
	chains_init(&table->chains, entries_max);
	return table;
}

void client_table_free(struct client_table *table)
{
	chains_release(&table->chains);
	free(table);
}

uint64_t client_table_memory(const struct client_table *table)
{
	return sizeof *table + chains_memory(&table->chains);
}

static const uint8_t *body_at(const struct client_table *table, uint32_t entry)
{
	size_t size;

	return history_body(table->history, entry, &size);
}

struct sought {
	const struct client_table *table;
	struct uuid client;
};

static bool is_of_client(const void *key, uint32_t entry)
{
	const struct sought *sought = key;

	return uuid_equal(body_client(body_at(sought->table, entry)), sought->client);
}

static uint64_t request_at(const void *context, uint32_t entry)
{
	return body_request(body_at(context, entry));
}

struct client_place client_table_place(const struct client_table *table, struct uuid client)
{
	struct client_place place = {.client = client, .hash = chains_hash(&table->chains, &client, sizeof client)};

	chains_prefetch(&table->chains, place.hash);
	return place;
}

static void find(const struct client_table *table, struct client_place *place)
{
	struct sought sought = {.table = table, .client = place->client};

	place->newest = chains_find(&table->chains, place->hash, is_of_client, &sought);
}

bool client_table_has_room(const struct client_table *table, struct client_place *place, uint64_t request)
{
	find(table, place);
	/* RULE 11: whatever the primary looked up, one request makes one operation, and numbers rise. */
	return place->newest == NULL || request_at(table, *place->newest) < request;
}

void client_table_add(struct client_table *table, const struct client_place *place, uint32_t entry)
{
	chains_add(&table->chains, entry, place->hash, place->newest);
}

enum client_known client_table_lookup(const struct client_table *table, struct uuid client, uint64_t request,
				      struct digest content, uint64_t *op)
{
	struct client_place place = client_table_place(table, client);

	find(table, &place);
	/* RULE 11: the answer to a repeat is its operation; a number below the last, without one, is finally
	 * refused. */
	if (place.newest == NULL || request > request_at(table, *place.newest))
		return CLIENT_NEW;

	uint32_t entry = chains_at_value(&table->chains, *place.newest, request, request_at, table);
	size_t size;
	const uint8_t *body;

	if (entry == CHAINS_NONE || request_at(table, entry) != request)
		return CLIENT_SUPERSEDED;
	*op = history_op_of(table->history, entry);
	body = history_body(table->history, entry, &size);
	/* RULE 11 */
	return digest_equal(body_content_digest(body, size), content) ? CLIENT_REPEAT : CLIENT_CONFLICT;
}
