/* A set of (client, request). */
#include "server/replica/validations.h"

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define uthash_fatal(message) shortage_of_memory(message)
#include <uthash.h>

struct key {
	struct uuid client;
	uint64_t request;
};

struct validation {
	struct key key;
	uint32_t waiters;
	UT_hash_handle hh;
};

_Static_assert(sizeof(struct key) == sizeof(struct uuid) + sizeof(uint64_t), "no padding: the key is hashed as bytes");

static struct validation *find(struct validation *set, struct uuid client, uint64_t request)
{
	struct key key = {.client = client, .request = request};
	struct validation *found;

	HASH_FIND(hh, set, &key, sizeof key, found);
	return found;
}

uint32_t *validations_waiters(struct validation *set, struct uuid client, uint64_t request)
{
	struct validation *found = find(set, client, request);

	return found == NULL ? NULL : &found->waiters;
}

bool validations_add(struct validation **set, struct uuid client, uint64_t request)
{
	struct validation *added;

	if (find(*set, client, request) != NULL)
		return false;
	added = calloc(1, sizeof *added);
	must_allocate(added);
	added->key = (struct key){.client = client, .request = request};
	HASH_ADD(hh, *set, key, sizeof added->key, added);
	return true;
}

uint32_t validations_remove(struct validation **set, struct uuid client, uint64_t request)
{
	struct validation *found = find(*set, client, request);

	must(found != NULL);

	uint32_t waiters = found->waiters;

	HASH_DELETE(hh, *set, found);
	free(found);
	return waiters;
}

void validations_each(struct validation *set, void (*each)(void *context, uint32_t *waiters), void *context)
{
	for (; set != NULL; set = set->hh.next)
		each(context, &set->waiters);
}

void validations_free(struct validation **set)
{
	struct validation *each = *set, *next;

	HASH_CLEAR(hh, *set); /* the table; its items stay a list */
	for (; each != NULL; each = next) {
		next = each->hh.next;
		free(each);
	}
}
