#include "rpc/net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"

/* Each loop's thread has one meter; the wait below has no other way to know whose iteration ends. */
static _Thread_local struct loop_meter *attached;

void loop_meter_attach(struct loop_meter *meter)
{
	attached = meter;
	if (meter != NULL)
		meter->woke_us = 0;
}

static void complain(int severity, const char *message)
{
	static const enum log_level levels[] = {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR};

	log_line(levels[severity & 3], "libevent", "%s", message);
}

/* libevent cannot go on, and has logged why. */
static void give_up(int error)
{
	(void)error;
	log_flush();
	_exit(1);
}

/* The descriptors that the loop needs: epoll, and two for signals. Without them libevent falls back to something
 * slower, or drops signals. */
static void need_descriptors(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int ends[2] = {-1, -1};

	if (epoll < 0)
		shortage("loop", "watch connections: epoll_create1");
	if (pipe(ends) != 0)
		shortage("loop", "hear of signals: pipe");
	close(ends[0]);
	close(ends[1]);
	close(epoll);
}

struct event_base *loop_new(void)
{
	event_set_log_callback(complain);
	event_set_fatal_callback(give_up);
	need_descriptors();

	struct event_config *config = event_config_new();

	must_allocate(config);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);

	struct event_base *base = event_base_new_with_config(config);

	event_config_free(config);
	must_allocate(base);
	return base;
}

static uint64_t microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

static void turn_begins(struct loop_meter *meter)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	meter->cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	meter->blocked = usage.ru_nvcsw;
	meter->woke_us = rpc_clock_us();
}

static void turn_ends(struct loop_meter *meter)
{
	uint64_t turn_us = rpc_clock_us() - meter->woke_us;
	struct rusage usage;

	if (meter->woke_us == 0 || turn_us <= meter->max_us)
		return;
	/* It never blocked: time beyond its own running time was used by other processes. */
	getrusage(RUSAGE_THREAD, &usage);
	if (usage.ru_nvcsw == meter->blocked)
		turn_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime) - meter->cpu_us;
	if (turn_us > meter->max_us)
		meter->max_us = turn_us;
}

/* A process that was stopped wakes up from its wait with EINTR. libevent then runs the timers, and what has come meanwhile
 * would be read too late: sockets are read before any timer suspects a peer. RULE 15 */
static int wait_for_events(int epoll, struct epoll_event *events, int count, int timeout_ms)
{
	int ready = epoll_pwait(epoll, events, count, timeout_ms, NULL);

	if (ready < 0 && errno == EINTR)
		ready = epoll_pwait(epoll, events, count, 0, NULL);
	return ready;
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms)
{
	struct loop_meter *meter = attached;

	if (meter == NULL)
		return wait_for_events(epoll, events, count, timeout_ms);
	turn_ends(meter);

	int ready = wait_for_events(epoll, events, count, timeout_ms);

	turn_begins(meter);
	return ready;
}

uint32_t loop_meter_max_us(const struct loop_meter *meter)
{
	return meter->max_us > UINT32_MAX ? UINT32_MAX : (uint32_t)meter->max_us;
}
