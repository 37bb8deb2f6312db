#include "server/machine/client_table.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/machine/body.h"
#include "server/machine/history.h"
#include "server/machine/linear_hash.h"

/* Each entry stands in one of the two. No key is stored: it is read from the entry's body. */
struct client_table {
	const struct history *history;
	struct linear_hash newest; /* client -> the entry of its highest number */
	struct linear_hash older;  /* (client, request) -> the entry of any other */
	uint64_t seed;             /* drawn, so that a client cannot know which keys share a bucket */
};

struct client_table *client_table_new(const struct history *history, uint32_t entries_max)
{
	struct client_table *table = calloc(1, sizeof *table);
	struct uuid seed = uuid_draw();

	must_allocate(table);
	table->history = history;
	memcpy(&table->seed, seed.bytes, sizeof table->seed);
	linear_hash_init(&table->newest, entries_max);
	linear_hash_init(&table->older, entries_max);
	return table;
}

void client_table_free(struct client_table *table)
{
	linear_hash_release(&table->newest);
	linear_hash_release(&table->older);
	free(table);
}

uint64_t client_table_memory(const struct client_table *table)
{
	return sizeof *table + linear_hash_memory(&table->newest) + linear_hash_memory(&table->older);
}

static const uint8_t *body_at(const struct client_table *table, uint32_t entry)
{
	size_t size;

	return history_body(table->history, entry, &size);
}

static uint64_t request_at(const struct client_table *table, uint32_t entry)
{
	return body_request(body_at(table, entry));
}

/* A client, or a client and its request. */
struct sought {
	const struct client_table *table;
	uint8_t key[BODY_KEY_BYTES];
	size_t size;
};

static bool bears(const void *key, uint32_t entry)
{
	const struct sought *sought = key;

	return memcmp(body_at(sought->table, entry) + BODY_KEY_OFFSET, sought->key, sought->size) == 0;
}

static uint32_t hash_of(const struct client_table *table, const void *key, size_t size)
{
	return (uint32_t)XXH3_64bits_withSeed(key, size, table->seed);
}

struct client_place client_table_place(const struct client_table *table, struct uuid client)
{
	struct client_place place = {.client = client, .hash = hash_of(table, &client, sizeof client)};

	linear_hash_prefetch(&table->newest, place.hash);
	return place;
}

static void find(const struct client_table *table, struct client_place *place)
{
	struct sought sought = {.table = table, .size = sizeof place->client};

	memcpy(sought.key, &place->client, sizeof place->client);
	place->newest = linear_hash_find(&table->newest, place->hash, bears, &sought);
}

bool client_table_has_room(const struct client_table *table, struct client_place *place, uint64_t request)
{
	find(table, place);
	/* RULE 11: whatever the primary looked up, one request makes one operation, and numbers rise. */
	return place->newest == NULL || request_at(table, *place->newest) < request;
}

void client_table_add(struct client_table *table, const struct client_place *place, uint32_t entry)
{
	uint32_t older;

	if (place->newest == NULL) {
		linear_hash_insert(&table->newest, place->hash, entry);
		return;
	}
	older = *place->newest;
	must(older < entry);
	*place->newest = entry;
	linear_hash_insert(&table->older, hash_of(table, body_at(table, older) + BODY_KEY_OFFSET, BODY_KEY_BYTES), older);
}

static uint32_t *find_older(const struct client_table *table, struct uuid client, uint64_t request)
{
	struct sought sought = {.table = table, .size = BODY_KEY_BYTES};

	body_key(client, request, sought.key);
	return linear_hash_find(&table->older, hash_of(table, sought.key, BODY_KEY_BYTES), bears, &sought);
}

static struct digest content_at(const struct client_table *table, uint32_t entry)
{
	struct body body;
	size_t size;
	const uint8_t *bytes = history_body(table->history, entry, &size);

	must(body_parse(bytes, size, &body));
	return body_content_digest(&body);
}

enum client_known client_table_lookup(const struct client_table *table, struct uuid client, uint64_t request,
				      struct digest content, uint64_t *op)
{
	struct client_place place = client_table_place(table, client);
	const uint32_t *entry;

	/* RULE 11: the answer to a repeat is its operation; a number below the last, without one, is nothing forever. */
	if (client_table_has_room(table, &place, request))
		return CLIENT_NEW;
	entry = request_at(table, *place.newest) == request ? place.newest : find_older(table, client, request);
	*op = history_op_of(table->history, entry == NULL ? *place.newest : *entry);
	if (entry == NULL)
		return CLIENT_PASSED;
	/* RULE 11 */
	return digest_equal(content_at(table, *entry), content) ? CLIENT_DECIDED : CLIENT_REUSED;
}
