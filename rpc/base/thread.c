#include "rpc/base/thread.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define THREAD_STACK_BYTES ((size_t)2 << 20)

bool thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;

	/* Independent of `ulimit -s`. */
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	/* Inherited by the new thread, so that a SIGTERM reaches the event loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(thread, &attributes, run, context);

	int failed = errno;

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	errno = failed;
	return failed == 0;
}

bool thread_start_detached(void *(*run)(void *context), void *context)
{
	pthread_t thread;

	if (!thread_start(&thread, run, context))
		return false;
	pthread_detach(thread);
	return true;
}

bool thread_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t deadline_us)
{
	struct timespec until = {.tv_sec = (time_t)(deadline_us / 1000000u),
				 .tv_nsec = (long)(deadline_us % 1000000u) * 1000};

	return pthread_cond_clockwait(condition, lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}
