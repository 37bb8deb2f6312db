/* Sessions with this replica: which view manager or replica has said hello on which connection, and which view manager is
 * heard (rule 20). As long as a replica hears the manager it is bound to, no other one can bind it; the refusal names
 * that manager's front-end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/cluster/protocol.h"

struct replica;
struct speaker;
struct rpc_call;
struct rpc_connection;
struct peer_session;
struct peer_sessions;

struct peer_sessions_options {
	const struct replica *replica;      /* knows the manager it is bound to */
	/* Whether our view manager is connected now; called whenever that may have changed. */
	void (*manager)(void *context, bool connected);
	void *context;
};

struct peer_sessions *peer_sessions_new(const struct peer_sessions_options *options);
/* After the connections are gone. */
void peer_sessions_free(struct peer_sessions *sessions);
uint32_t peer_sessions_count(const struct peer_sessions *sessions);
uint32_t peer_sessions_max(void);
/* RULE 19: connections with a session are never closed for being idle, so there is a bound on them. */
bool peer_sessions_have_room(const struct peer_sessions *sessions);

/* The session of a connection; NULL: no hello yet. */
struct peer_session *peer_session_of(const struct rpc_connection *connection);
const struct speaker *peer_session_speaker(const struct peer_session *session);

/* A good hello. It closes the older connections of the same peer and purpose, and discards what was unread there (rule 17). */
void peer_sessions_begin(struct peer_sessions *sessions, struct rpc_connection *connection, const struct identity *who);
/* The connection has ended. */
void peer_sessions_ended(struct peer_sessions *sessions, struct rpc_connection *connection);
/* RULE 20: closes the connections of all managers but this one, and discards what was unread there. */
void peer_sessions_close_managers(struct peer_sessions *sessions, const struct peer_session *but);
/* RULE 20: the session's manager binds us: it is heard from now on, and where it listens is not known yet. */
void peer_sessions_bound(struct peer_sessions *sessions, struct peer_session *session);
/* RULE 20: whether it is of the manager that we are bound to; of any, as long as we are bound to none. */
bool peer_sessions_manages(const struct peer_sessions *sessions, const struct peer_session *session);

/* --- watches: calls that are answered when there is news ---------------------------------------------------------- */

/* In place of the session's earlier one. */
void peer_session_watch(struct peer_session *session, struct rpc_call *call);
/* Hands each watch over to be answered. */
void peer_sessions_news(struct peer_sessions *sessions,
		   void (*answer)(void *context, struct peer_session *session, struct rpc_call *call), void *context);

/* --- managed.c: which view manager is heard ----------------------------------------------------------------------- */

/* address: where the manager's front-end listens, as it says. */
void peer_sessions_heartbeat(struct peer_sessions *sessions, struct peer_session *session, const char *address,
			     uint32_t suspect_ms);
/* Every turn of the timer. */
void peer_sessions_tick(struct peer_sessions *sessions);
/* Whether the manager that we are bound to is heard. */
bool peer_sessions_managed(const struct peer_sessions *sessions);
/* RULE 20: by another process than this one. session may be NULL. */
bool peer_sessions_managed_by_another(const struct peer_sessions *sessions, const struct peer_session *session);
/* The report's managed, frontend and frontend_age_ms. */
void peer_sessions_report(const struct peer_sessions *sessions, struct report *report);
