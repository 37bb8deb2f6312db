/* For sessions.c and managed.c alone. */
#pragma once

#include "server/peers/peer_sessions.h"

struct peer_session {
	struct peer_session *next;
	struct rpc_connection *connection;
	struct identity peer;
	uint64_t heard_us;           /* manager: the last hello or heartbeat, */
	uint64_t silence_us;         /* and how long none need come */
	struct rpc_call *watch;      /* manager: a WATCH that hangs */
};

struct peer_sessions {
	struct peer_sessions_options options;
	struct peer_session *first;
	char frontend[LIMIT_ADDRESS_BYTES];  /* of the manager heard last; empty: none yet */
	uint64_t frontend_us;        /* then */
	uint64_t tick_us;            /* of our own clock's last tick */
};

void managed_begin(struct peer_session *session);
