/* The threads of all programs: signals are left to the main thread, and waits end by the monotonic clock. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* False with errno when the system has no more threads. */
bool thread_start(pthread_t *thread, void *(*run)(void *context), void *context);
bool thread_start_detached(void *(*run)(void *context), void *context);

/* pthread_cond_wait with a deadline: false when deadline_us (rpc_clock_us) has passed. */
bool thread_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t deadline_us);
