/* Requests in the log that are not applied yet, by client: the half of the client table that the history does not
 * hold yet (rule 11). Bounded by LIMIT_UNAPPLIED_ENTRIES. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "rpc/base/uuid.h"
#include "server/replica/replica.h"

struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);
void sessions_clear(struct sessions *sessions);

/* (client, request) is in the log at op. */
void sessions_add(struct sessions *sessions, struct uuid client, uint64_t request, struct digest content, uint64_t op);

/* Forgets the requests up to op: the history has them. */
void sessions_applied(struct sessions *sessions, uint64_t op);

/* What the log alone knows: KNOWN_NEW when request is above all of the client's in it, KNOWN_PASSED when it is
 * below one and not in it (the history may still have it). Unless new, *op is the entry that this rests on. */
enum replica_known sessions_lookup(const struct sessions *sessions, struct uuid client, uint64_t request,
				   struct digest content, uint64_t *op);
