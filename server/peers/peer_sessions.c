#include "server/peers/peer_sessions.h"

#include <stdlib.h>

#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/server.h"
#include "server/peers/peer_sessions_internal.h"
#include "server/replica/replica.h"

#define SESSIONS_MAX (4 * LIMIT_REPLICAS)

struct peer_sessions *peer_sessions_new(const struct peer_sessions_options *options)
{
	struct peer_sessions *sessions = calloc(1, sizeof *sessions);

	must_allocate(sessions);
	sessions->options = *options;
	return sessions;
}

void peer_sessions_free(struct peer_sessions *sessions)
{
	must(sessions->first == NULL);
	free(sessions);
}

uint32_t peer_sessions_count(const struct peer_sessions *sessions)
{
	uint32_t count = 0;

	for (const struct peer_session *session = sessions->first; session != NULL; session = session->next)
		count++;
	return count;
}

uint32_t peer_sessions_max(void)
{
	return SESSIONS_MAX;
}

bool peer_sessions_have_room(const struct peer_sessions *sessions)
{
	return peer_sessions_count(sessions) < SESSIONS_MAX; /* RULE 19 */
}

struct peer_session *peer_session_of(const struct rpc_connection *connection)
{
	return rpc_connection_user(connection);
}

const struct speaker *peer_session_speaker(const struct peer_session *session)
{
	return &session->speaker;
}

/* RULE 20: asked anew for every call: a view may have bound us to another manager since the hello. */
bool peer_sessions_manages(const struct peer_sessions *sessions, const struct peer_session *session)
{
	return speaker_manages(&session->speaker, replica_bound(sessions->options.replica));
}

static void tell_manager(struct peer_sessions *sessions)
{
	bool connected = false;

	for (const struct peer_session *session = sessions->first; session != NULL && !connected; session = session->next)
		connected = peer_sessions_manages(sessions, session);
	sessions->options.manager(sessions->options.context, connected);
}

static void forget(struct peer_sessions *sessions, struct peer_session *session)
{
	struct peer_session **slot = &sessions->first;

	while (*slot != session) {
		must(*slot != NULL);
		slot = &(*slot)->next;
	}
	*slot = session->next;
	if (session->watch != NULL)
		rpc_call_drop(session->watch);
	free(session);
}

void peer_sessions_ended(struct peer_sessions *sessions, struct rpc_connection *connection)
{
	struct peer_session *session = peer_session_of(connection);

	if (session == NULL)
		return;

	bool manager = speaker_is_manager(&session->speaker);

	rpc_connection_set_user(connection, NULL);
	forget(sessions, session);
	if (manager)
		tell_manager(sessions);
}

static bool is_older(const struct peer_session *session, const struct peer_session *than)
{
	return speaker_replaces(&than->speaker, &session->speaker);
}

static bool is_manager(const struct peer_session *session, const struct peer_session *than)
{
	(void)than;
	return speaker_is_manager(&session->speaker);
}

/* RULE 17: also discards what was unread there. */
static void close_those(struct peer_sessions *sessions, const struct peer_session *but,
			bool (*chosen)(const struct peer_session *session, const struct peer_session *but))
{
	struct peer_session *session = sessions->first;

	while (session != NULL) {
		struct peer_session *next = session->next;

		if (session != but && chosen(session, but)) {
			struct rpc_connection *connection = session->connection;

			rpc_connection_set_user(connection, NULL);
			forget(sessions, session);
			rpc_connection_close(connection);
		}
		session = next;
	}
}

void peer_sessions_close_managers(struct peer_sessions *sessions, const struct peer_session *but)
{
	close_those(sessions, but, is_manager);
}

void peer_sessions_begin(struct peer_sessions *sessions, struct rpc_connection *connection, const struct identity *who)
{
	struct peer_session *session = peer_session_of(connection);
	bool manager = who->purpose == PURPOSE_MANAGER || (session != NULL && speaker_is_manager(&session->speaker));

	if (session != NULL)
		forget(sessions, session);
	session = calloc(1, sizeof *session);
	must_allocate(session);
	*session = (struct peer_session){.next = sessions->first, .connection = connection,
					 .speaker = speaker_of(who, rpc_clock_us())};
	sessions->first = session;
	rpc_connection_set_user(connection, session);
	rpc_connection_pin(connection);
	close_those(sessions, session, is_older); /* RULE 17 */
	if (manager)
		tell_manager(sessions);
}

void peer_session_watch(struct peer_session *session, struct rpc_call *call)
{
	if (session->watch != NULL)
		rpc_call_drop(session->watch);
	session->watch = call;
}

void peer_sessions_news(struct peer_sessions *sessions,
		   void (*answer)(void *context, struct peer_session *session, struct rpc_call *call), void *context)
{
	for (struct peer_session *session = sessions->first; session != NULL; session = session->next) {
		struct rpc_call *call = session->watch;

		session->watch = NULL;
		if (call != NULL)
			answer(context, session, call);
	}
}
