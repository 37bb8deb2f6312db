/* When a replica has a jh-memory (memory_holder.h). One that outlives its killed replica becomes a child of process 1,
 * or of what plays its part, and is gone once that has waited for it. The kernel gives it to no other process: a
 * parent is the one that made it or one of that one's ancestors. A process 1 that never waits, as of a container
 * without an init, would gather one for each replica that is killed. So no second one is begun while one is left
 * behind: killed again, such a replica leaves nothing, and takes longer to be missed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct memory_watch {
	pid_t holder; /* -1: none */
	uint64_t since_us, again_us;
	bool warned;
};

/* Before any thread starts, if it can: from the first tick on it may come later. */
void memory_watch_start(struct memory_watch *watch);

/* On the loop, as often as you like: looks once a second whether the holder lives, or may be begun now. */
void memory_watch_tick(struct memory_watch *watch);

void memory_watch_stop(struct memory_watch *watch);
