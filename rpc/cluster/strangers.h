/* Which registered programs among our numbers belong to others: another cluster whose program base is less than 4,096
 * from ours, or any other service. Each address is asked once (rpc/cluster/identify.h) and remembered for as long as rpcbind lists
 * it; a stranger is asked again now and then, for its address may become one of ours. Each is logged in one line, once.
 *
 * A process that does not answer counts as ours, since a hung replica must be waited for (rule 18). */
#pragma once

#include <stdint.h>

struct event_base;
struct strangers;

enum strangers_verdict {
	STRANGERS_OURS,   /* as far as is known */
	STRANGERS_OTHERS,
	STRANGERS_DEAD,   /* another process has the port by now: the entry may be removed */
	STRANGERS_ASKING  /* `told` follows */
};

/* From the loop, and never from within strangers_look: the result is known now. */
typedef void (*strangers_fn)(void *context, uint32_t program, const char *address);

/* told NULL: other clusters are only told from ours and logged. */
struct strangers *strangers_new(struct event_base *base, uint32_t program_base, strangers_fn told, void *context);
void strangers_free(struct strangers *strangers); /* NULL is fine */

/* rpcbind lists that program at that address. */
enum strangers_verdict strangers_look(struct strangers *strangers, uint32_t program, const char *address);
/* What is known of that program is out of date. */
void strangers_doubt(struct strangers *strangers, uint32_t program);
/* A round over all hosts is complete: what it did not name is forgotten. */
void strangers_end_round(struct strangers *strangers);
