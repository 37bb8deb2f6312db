/* Makes a killed replica's connections close at once, however long its history is.
 *
 * The kernel ends a killed process in this order: it gives the memory back, then it closes the files. For a history of a
 * gigabyte the first takes 70 ms, and only then do its peers hear that the replica is gone. So a second process shares
 * the memory (clone with CLONE_VM) and does nothing while the replica lives. After the replica's end it gives the memory back
 * piece by piece, out of the way of those who take over, and ends too. It shows as jh-memory, with the same memory as the
 * replica, not as much again. */
#pragma once

#include <sys/types.h>

#define MEMORY_HOLDER_NAME "jh-memory"

/* On the main thread, and best before any other starts. The holder's pid; -1 when the system has no more processes,
 * said in the log: everything works without it, only not as fast. */
pid_t memory_holder_start(void);

/* Ends it at once: at an orderly end no peer waits. -1 is fine. */
void memory_holder_stop(pid_t holder);
