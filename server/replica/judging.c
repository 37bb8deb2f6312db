/* A set of (client, request). */
#include "server/replica/judging.h"

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define uthash_fatal(message) shortage_of_memory(message)
#include <uthash.h>

struct key {
	struct uuid client;
	uint64_t request;
};

struct judging {
	struct key key;
	UT_hash_handle hh;
};

_Static_assert(sizeof(struct key) == sizeof(struct uuid) + sizeof(uint64_t), "no padding: the key is hashed as bytes");

static struct judging *find(const struct judging *set, struct uuid client, uint64_t request)
{
	struct key key = {.client = client, .request = request};
	struct judging *found;

	HASH_FIND(hh, set, &key, sizeof key, found);
	return found;
}

bool judging_has(const struct judging *set, struct uuid client, uint64_t request)
{
	return find(set, client, request) != NULL;
}

bool judging_add(struct judging **set, struct uuid client, uint64_t request)
{
	struct judging *added;

	if (judging_has(*set, client, request))
		return false;
	added = calloc(1, sizeof *added);
	must_allocate(added);
	added->key = (struct key){.client = client, .request = request};
	HASH_ADD(hh, *set, key, sizeof added->key, added);
	return true;
}

void judging_remove(struct judging **set, struct uuid client, uint64_t request)
{
	struct judging *found = find(*set, client, request);

	must(found != NULL);
	HASH_DELETE(hh, *set, found);
	free(found);
}

void judging_free(struct judging **set)
{
	struct judging *each = *set, *next;

	HASH_CLEAR(hh, *set); /* the table; its items stay a list */
	for (; each != NULL; each = next) {
		next = each->hh.next;
		free(each);
	}
}
