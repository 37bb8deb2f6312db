#include "tests/chaos/relay_flow.h"

#include <event2/buffer.h>
#include <event2/event.h>

#include "rpc/base/must.h"

struct flow flow_make(const struct way *way, struct bufferevent *from, struct bufferevent *to)
{
	struct flow flow = {.way = way, .from = from, .to = to, .held = evbuffer_new()};

	must(flow.held != NULL);
	return flow;
}

/* The last piece of a full ring grows, and waits from now on: being late is its purpose. */
size_t flow_hold(struct flow *flow, uint64_t now_ms)
{
	size_t size = evbuffer_get_length(bufferevent_get_input(flow->from));
	struct piece *last;

	if (size == 0)
		return 0;
	if (flow->count < RELAY_PIECES_MAX)
		flow->pieces[(flow->first + flow->count++) % RELAY_PIECES_MAX].size = 0;
	last = &flow->pieces[(flow->first + flow->count - 1) % RELAY_PIECES_MAX];
	last->size += size;
	last->since_ms = now_ms;
	must(bufferevent_read_buffer(flow->from, flow->held) == 0);
	return size;
}

static void let_go(struct flow *flow, size_t size)
{
	must(evbuffer_remove_buffer(flow->held, bufferevent_get_output(flow->to), size) == (int)size);
	while (size > 0) {
		struct piece *piece = &flow->pieces[flow->first];
		size_t part = piece->size < size ? piece->size : size;

		must(flow->count > 0);
		size -= part;
		piece->size -= part;
		if (piece->size == 0) {
			flow->first = (flow->first + 1) % RELAY_PIECES_MAX;
			flow->count--;
		}
	}
}

static size_t that_waited(const struct flow *flow, uint64_t delay_ms, uint64_t now_ms)
{
	size_t size = 0;

	for (unsigned i = 0; i < flow->count; i++) {
		const struct piece *piece = &flow->pieces[(flow->first + i) % RELAY_PIECES_MAX];

		if (now_ms < piece->since_ms + delay_ms)
			break;
		size += piece->size;
	}
	return size;
}

static size_t allowed(struct flow *flow, uint64_t now_ms, uint64_t passed_ms)
{
	size_t held = evbuffer_get_length(flow->held), size = 0;

	switch (flow->way->manner) {
	case PASS:
		return held;
	case DELAY:
		return that_waited(flow, flow->way->amount, now_ms);
	case TRICKLE:
		flow->saved_ms = held > 0 ? flow->saved_ms + passed_ms : 0;
		size = flow->way->amount * flow->saved_ms / 1000;
		if (size > 0)
			flow->saved_ms = 0;
		return size < held ? size : held;
	case STALL:
		return 0;
	}
	must_not_reach("a manner is one of them");
}

bool flow_travel(struct flow *flow, uint64_t now_ms, uint64_t passed_ms)
{
	size_t size = allowed(flow, now_ms, passed_ms);

	if (size > 0 && evbuffer_get_length(bufferevent_get_output(flow->to)) < RELAY_HELD_MAX)
		let_go(flow, size);
	if (evbuffer_get_length(flow->held) >= RELAY_HELD_MAX)
		bufferevent_disable(flow->from, EV_READ);
	else if (!flow->ended)
		bufferevent_enable(flow->from, EV_READ);
	return flow->ended && flow->way->manner != STALL && evbuffer_get_length(flow->held) == 0 &&
	       evbuffer_get_length(bufferevent_get_output(flow->to)) == 0;
}
