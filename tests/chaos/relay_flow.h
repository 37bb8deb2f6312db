/* One direction of one connection through the relay: bytes that wait, and when they may continue. Bounded: beyond
 * RELAY_HELD_MAX nothing more is read, and TCP makes the sender wait. It knows neither sockets nor the other
 * direction. */
#pragma once

#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_HELD_MAX (1 << 20)
#define RELAY_PIECES_MAX 256

enum manner { PASS, DELAY, TRICKLE, STALL };

/* How bytes travel. */
struct way {
	enum manner manner;
	uint64_t amount; /* milliseconds, or bytes a second */
};

/* Bytes that arrived together. */
struct piece {
	size_t size;
	uint64_t since_ms;
};

struct flow {
	const struct way *way; /* may change at any time */
	struct bufferevent *from, *to;
	struct evbuffer *held; /* the owner frees it */
	struct piece pieces[RELAY_PIECES_MAX]; /* a ring: what `held` consists of, oldest first */
	unsigned first, count;
	uint64_t saved_ms; /* of trickling, not yet used */
	bool ended;        /* `from` has reached its end */
};

/* Borrows all three. */
struct flow flow_make(const struct way *way, struct bufferevent *from, struct bufferevent *to);

/* Takes what has arrived, to wait from now on. Returns how much. */
size_t flow_hold(struct flow *flow, uint64_t now_ms);

/* Releases what is due, passed_ms after the last call. True: it has ended, and nothing of it is held any more. */
bool flow_travel(struct flow *flow, uint64_t now_ms, uint64_t passed_ms);
