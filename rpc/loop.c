#include "rpc/loop.h"

#include <sys/epoll.h>

#include "rpc/clock.h"

/* The one thread that runs a loop has one meter; the wait below has no other way to know whose turn ends. */
static _Thread_local struct loop_meter *attached;

void loop_meter_attach(struct loop_meter *meter)
{
	attached = meter;
	if (meter != NULL)
		meter->woke_us = 0;
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms)
{
	struct loop_meter *meter = attached;

	if (meter == NULL)
		return epoll_pwait(epoll, events, count, timeout_ms, NULL);

	uint64_t turn_us = meter->woke_us == 0 ? 0 : rpc_clock_us() - meter->woke_us;

	if (turn_us > meter->max_us)
		meter->max_us = turn_us;

	int ready = epoll_pwait(epoll, events, count, timeout_ms, NULL);

	meter->woke_us = rpc_clock_us();
	return ready;
}

uint32_t loop_meter_max_us(const struct loop_meter *meter)
{
	return meter->max_us > UINT32_MAX ? UINT32_MAX : (uint32_t)meter->max_us;
}
