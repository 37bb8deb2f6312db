/* Who speaks on a session with a replica, for what purpose, and what its word counts for: rules 15, 17 and 20 as questions
 * about plain values. It knows no connection, so that whatever plays a replica's sessions asks the same questions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/cluster/protocol.h"
#include "server/replica/replica.h"

struct speaker {
	struct identity identity;    /* as its hello said */
	uint64_t heard_us;           /* manager: the last hello or heartbeat, */
	uint64_t silence_us;         /* and how long none need come */
};

/* What replica `me` answers to a hello of `who` that means `meant`. bound: the manager that `me` is bound to; nil: none. */
enum hello_status speaker_hello(const struct identity *me, struct uuid bound, const struct identity *who,
				const struct identity *meant);
/* Whether that answer establishes a session. A manager that we are not bound to has one, too: it may bind us. */
bool speaker_is_admitted(enum hello_status answer);

/* The other end of such a connection: whom a hello of `me` means, and whether the answer is of that process. */
struct identity speaker_meant(const struct identity *me, const struct replica_name *name, struct uuid incarnation);
bool speaker_is_meant(const struct replica_name *name, struct uuid incarnation, enum hello_status answer,
		      const struct identity *answering);

struct speaker speaker_of(const struct identity *who, uint64_t now_us);
/* It has sent a heartbeat. suspect_ms 0: it does not say how long it may be silent. */
void speaker_heard(struct speaker *speaker, uint32_t suspect_ms, uint64_t now_us);

bool speaker_is_manager(const struct speaker *speaker);
/* Whether it is a replica that pushes. */
bool speaker_pushes(const struct speaker *speaker);
/* RULE 20: whether it is the manager that we are bound to; any manager is, as long as we are bound to none. */
bool speaker_manages(const struct speaker *speaker, struct uuid bound);
/* RULE 20: whether it is the manager of that name: a manager binds a replica to itself, and brings its own views. */
bool speaker_is_manager_named(const struct speaker *speaker, struct uuid manager);
/* RULE 17: whether the older session ends, since the newer one is of the same peer and purpose. */
bool speaker_replaces(const struct speaker *newer, const struct speaker *older);

/* RULE 15: whether our own loop was late, so that a silence proves nothing. tick_us: of its last turn of the timer; 0: none. */
bool speaker_clock_is_late(uint64_t tick_us, uint64_t now_us);
/* RULE 20: whether it is the manager that we are bound to, is heard, and is not the process of `but` (NULL: of none). A
 * front-end that found out that its directory is an old copy takes over from itself: the process counts, not its name. */
bool speaker_is_present(const struct speaker *speaker, struct uuid bound, const struct speaker *but, bool late,
			uint64_t now_us);
