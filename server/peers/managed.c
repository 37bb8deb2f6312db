/* Which view manager this replica hears (rule 20). */
#include <stdio.h>
#include <string.h>

#include "rpc/base/clock.h"
#include "rpc/net/address.h"
#include "rpc/net/server.h"
#include "server/peers/peer_sessions_internal.h"
#include "server/replica/replica.h"

#define SUSPECT_DEFAULT_US 250000u /* until its first heartbeat says how long it may be silent */
#define LATE_US (4 * REPLICA_TICK_MS * 1000u) /* ticks further apart than this: our own loop was late */

void managed_begin(struct peer_session *session)
{
	session->heard_us = rpc_clock_us();
	session->silence_us = SUSPECT_DEFAULT_US;
}

/* "0.0.0.0:40001" is found where it comes from. */
static void where(const struct peer_session *session, const char *address, char text[static LIMIT_ADDRESS_BYTES])
{
	struct rpc_address told, peer;

	snprintf(text, LIMIT_ADDRESS_BYTES, "%s", address);
	if (!rpc_address_parse(address, &told) || !rpc_address_is_wildcard(&told) ||
	    !rpc_address_parse(rpc_connection_peer_text(session->connection), &peer))
		return;
	rpc_address_set_port(&peer, rpc_address_port(&told));
	rpc_address_format(&peer, text, LIMIT_ADDRESS_BYTES);
}

void peer_sessions_heartbeat(struct peer_sessions *sessions, struct peer_session *session, const char *address, uint32_t suspect_ms)
{
	session->heard_us = rpc_clock_us();
	if (suspect_ms > 0)
		session->silence_us = suspect_ms * UINT64_C(1000);
	sessions->frontend_us = session->heard_us;
	where(session, address, sessions->frontend);
}

static bool was_late(const struct peer_sessions *sessions)
{
	return sessions->tick_us != 0 && rpc_clock_us() - sessions->tick_us > LATE_US; /* RULE 15 */
}

static bool heard(const struct peer_sessions *sessions, const struct peer_session *session)
{
	uint64_t now_us = rpc_clock_us();

	return now_us - session->heard_us <= session->silence_us || was_late(sessions);
}

/* The manager that we are bound to, as long as it is heard, and is not the process of that session. */
static const struct peer_session *present(const struct peer_sessions *sessions, const struct peer_session *but)
{
	struct uuid bound = replica_bound(sessions->options.replica);

	for (const struct peer_session *session = sessions->first; session != NULL; session = session->next) {
		const struct identity *peer = &session->peer;

		if (peer->id == 0 && !uuid_is_nil(bound) && uuid_equal(peer->uuid, bound) && heard(sessions, session) &&
		    (but == NULL || !uuid_equal(peer->incarnation, but->peer.incarnation)))
			return session;
	}
	return NULL;
}

/* RULE 15: a silence that our own lateness explains proves nothing: what it said may not have been read yet. */
void peer_sessions_tick(struct peer_sessions *sessions)
{
	uint64_t now_us = rpc_clock_us();
	bool late = was_late(sessions);

	for (struct peer_session *session = sessions->first; session != NULL && late; session = session->next)
		session->heard_us = now_us;
	sessions->tick_us = now_us;
}

bool peer_sessions_managed(const struct peer_sessions *sessions)
{
	return present(sessions, NULL) != NULL;
}

/* A front-end that found out that its directory is an old copy takes over from itself: the process counts, not its name. */
bool peer_sessions_managed_by_another(const struct peer_sessions *sessions, const struct peer_session *session)
{
	return present(sessions, session) != NULL; /* RULE 20 */
}

void peer_sessions_report(const struct peer_sessions *sessions, struct report *report)
{
	uint64_t age_ms = (rpc_clock_us() - sessions->frontend_us) / 1000;

	report->managed = peer_sessions_managed(sessions);
	if (sessions->frontend[0] == '\0')
		return;
	memcpy(report->frontend, sessions->frontend, sizeof report->frontend);
	report->frontend_age_ms = age_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)age_ms;
}
