/* How long one turn of the event loop takes: everything between two waits. A long turn delays every heartbeat and
 * every request, so it is measured all the time and shown in status (none should exceed 10 ms). It
 * counts the time in which the loop ran or was blocked, not the time in which it was runnable while other processes had
 * the processors.
 *
 * libevent 2.1 has no call-back before and after its wait, so this file defines epoll_wait, which libevent calls,
 * and looks at the clocks on both sides of the system call. */
#pragma once

#include <stdint.h>

struct event_base;

/* A loop on epoll, whatever the environment says to libevent; when the system refuses one, the program ends with one
 * line. From now on libevent's own errors are log lines, too. */
struct event_base *loop_new(void);

struct loop_meter {
	uint64_t woke_us; /* when the wait ended; 0: not yet */
	uint64_t cpu_us;  /* of this thread, as it woke */
	long blocked;     /* times it had yielded the processor, as it woke */
	uint64_t max_us;
};

/* From now on the iterations of the loop that runs on this thread are measured. NULL: no longer. */
void loop_meter_attach(struct loop_meter *meter);

/* The longest iteration so far in microseconds, without the current one. */
uint32_t loop_meter_max_us(const struct loop_meter *meter);
