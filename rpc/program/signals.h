/* The signals of a daemon. None of them ends it without a line:
 *
 *   SIGTERM, SIGINT      an orderly stop
 *   SIGXCPU              an orderly stop: the time of `ulimit -t` is used up
 *   SIGHUP               reserved for reading the options again: until then one line
 *   SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, real-time signals
 *                        mean nothing here: one line
 *
 * Left alone: what stops and continues a process, what a fault raises (and SIGQUIT), which make a core file. */
#pragma once

struct event_base;
struct signals;

/* They wait from now on, until signals_watch: a start is not cut off in the middle. */
void signals_hold(void);

/* Handles them on the loop. stop: SIGTERM, SIGINT, SIGXCPU; may come more than once. */
struct signals *signals_watch(struct event_base *base, const char *component, void (*stop)(void *context, int signal),
			      void *context);

/* From here to the end of the process, or into what it executes, they wait again. NULL is fine. */
void signals_free(struct signals *signals);
