/* The signals of a daemon. None of them ends it without a line:
 *
 *   SIGTERM, SIGINT      an orderly stop
 *   SIGXCPU              an orderly stop: the time of `ulimit -t` is used up
 *   SIGHUP               reserved for reading the options again: until then one line
 *   SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, real-time signals
 *                        mean nothing here: one line
 *
 * Left alone: job control, and what a fault raises (and SIGQUIT), which leave a core file. */
#pragma once

struct event_base;
struct signals;

/* Blocks them until signals_watch, so that a start is not interrupted halfway. */
void signals_hold(void);

/* Handles them on the loop. stop: SIGTERM, SIGINT, SIGXCPU; may be called more than once. */
struct signals *signals_watch(struct event_base *base, const char *component, void (*stop)(void *context, int signal),
			      void *context);

/* They are blocked again, until the process ends and in any program that it executes. NULL is fine. */
void signals_free(struct signals *signals);
