/* Which view manager this replica hears (rule 20). */
#include <stdio.h>
#include <string.h>

#include "rpc/base/clock.h"
#include "rpc/net/address.h"
#include "rpc/net/server.h"
#include "server/peers/peer_sessions_internal.h"
#include "server/replica/replica.h"

/* "0.0.0.0:40001" is the port of whichever address the connection comes from. */
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
	sessions->frontend_us = rpc_clock_us();
	speaker_heard(&session->speaker, suspect_ms, sessions->frontend_us);
	where(session, address, sessions->frontend);
}

void peer_sessions_bound(struct peer_sessions *sessions, struct peer_session *session)
{
	speaker_heard(&session->speaker, 0, rpc_clock_us()); /* RULE 20 */
	sessions->frontend[0] = '\0';
}

/* The manager that we are bound to, as long as it is heard and is not the process of that session. */
static const struct peer_session *present(const struct peer_sessions *sessions, const struct peer_session *but)
{
	struct uuid bound = replica_bound(sessions->options.replica);
	uint64_t now_us = rpc_clock_us();
	bool late = speaker_clock_is_late(sessions->tick_us, now_us);

	for (const struct peer_session *session = sessions->first; session != NULL; session = session->next) {
		if (speaker_is_present(&session->speaker, bound, but == NULL ? NULL : &but->speaker, late, now_us))
			return session;
	}
	return NULL;
}

/* RULE 15: if our own loop stalled, all silences start anew: heartbeats may still be unread. */
void peer_sessions_tick(struct peer_sessions *sessions)
{
	uint64_t now_us = rpc_clock_us();
	bool late = speaker_clock_is_late(sessions->tick_us, now_us);

	for (struct peer_session *session = sessions->first; session != NULL && late; session = session->next)
		speaker_heard(&session->speaker, 0, now_us);
	sessions->tick_us = now_us;
}

bool peer_sessions_managed(const struct peer_sessions *sessions)
{
	return present(sessions, NULL) != NULL;
}

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
