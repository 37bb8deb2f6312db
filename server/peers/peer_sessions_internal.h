/* For peer_sessions.c and managed.c alone. */
#pragma once

#include "server/peers/peer_sessions.h"
#include "server/peers/speaker.h"

struct peer_session {
	struct peer_session *next;
	struct rpc_connection *connection;
	struct speaker speaker;
	struct rpc_call *watch;      /* manager: a WATCH that hangs */
};

struct peer_sessions {
	struct peer_sessions_options options;
	struct peer_session *first;
	char frontend[LIMIT_ADDRESS_BYTES];  /* of the manager heard last; empty: none yet */
	uint64_t frontend_us;        /* then */
	uint64_t tick_us;            /* of our own clock's last tick */
};
