#include "rpc/loop.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "rpc/clock.h"

/* The one thread that runs a loop has one meter; the wait below has no other way to know whose turn ends. */
static _Thread_local struct loop_meter *attached;

void loop_meter_attach(struct loop_meter *meter)
{
	attached = meter;
	if (meter != NULL)
		meter->woke_us = 0;
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
	/* It never blocked: whatever exceeds its own running time, others ran. */
	getrusage(RUSAGE_THREAD, &usage);
	if (usage.ru_nvcsw == meter->blocked)
		turn_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime) - meter->cpu_us;
	if (turn_us > meter->max_us)
		meter->max_us = turn_us;
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms)
{
	struct loop_meter *meter = attached;

	if (meter == NULL)
		return epoll_pwait(epoll, events, count, timeout_ms, NULL);
	turn_ends(meter);

	int ready = epoll_pwait(epoll, events, count, timeout_ms, NULL);

	turn_begins(meter);
	return ready;
}

uint32_t loop_meter_max_us(const struct loop_meter *meter)
{
	return meter->max_us > UINT32_MAX ? UINT32_MAX : (uint32_t)meter->max_us;
}
