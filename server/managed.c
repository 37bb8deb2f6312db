/* Which view manager this replica hears (rule 20). A replica that hears the one it is bound to lets nobody else bind it,
 * and tells who asks where to find it. */
#include <stdio.h>
#include <string.h>

#include "rpc/net/address.h"
#include "rpc/base/clock.h"
#include "server/announce.h"
#include "server/node.h"

#define SUSPECT_DEFAULT_US 250000u /* until its first heartbeat says how long it may be silent */
#define ANNOUNCE_AGAIN_US 5000000u
#define LATE_US 100000u            /* the tick comes every 25 ms: by this much our own loop was late */

void managed_greeted(struct greeted *from)
{
	from->heard_us = rpc_clock_us();
	from->silence_us = SUSPECT_DEFAULT_US;
}

/* "0.0.0.0:40001" is found where it comes from. */
static void where(const struct greeted *from, const char *address, char text[static LIMIT_ADDRESS_BYTES])
{
	struct rpc_address told, peer;

	snprintf(text, LIMIT_ADDRESS_BYTES, "%s", address);
	if (!rpc_address_parse(address, &told) || !rpc_address_is_wildcard(&told) ||
	    !rpc_address_parse(rpc_connection_peer_text(from->connection), &peer))
		return;
	rpc_address_set_port(&peer, rpc_address_port(&told));
	rpc_address_format(&peer, text, LIMIT_ADDRESS_BYTES);
}

void managed_heartbeat(struct node *node, struct greeted *from, const char *address, uint32_t suspect_ms)
{
	from->heard_us = rpc_clock_us();
	if (suspect_ms > 0)
		from->silence_us = suspect_ms * UINT64_C(1000);
	node->frontend_us = from->heard_us;
	where(from, address, node->frontend);
}

static bool was_late(const struct node *node)
{
	return node->tick_us != 0 && rpc_clock_us() - node->tick_us > LATE_US; /* RULE 15 */
}

static bool heard(const struct node *node, const struct greeted *from)
{
	uint64_t now_us = rpc_clock_us();

	return now_us - from->heard_us <= from->silence_us || was_late(node);
}

static const struct greeted *present(const struct node *node, const struct greeted *but)
{
	struct uuid bound = replica_bound(node->replica);

	for (const struct greeted *from = node->greeted; from != NULL; from = from->next) {
		if (from->id == 0 && !uuid_is_nil(bound) && uuid_equal(from->uuid, bound) && heard(node, from) &&
		    (but == NULL || !uuid_equal(from->incarnation, but->incarnation)))
			return from;
	}
	return NULL;
}

/* RULE 15: a silence that our own lateness explains proves nothing: what it said may not have been read yet. */
void managed_tick(struct node *node)
{
	uint64_t now_us = rpc_clock_us();
	bool late = was_late(node);

	for (struct greeted *from = node->greeted; from != NULL && late; from = from->next)
		from->heard_us = now_us;
	node->tick_us = now_us;
	/* Nobody may have found us: our host is perhaps not asked. */
	if (node->ready && present(node, NULL) == NULL && now_us - node->announced_us >= ANNOUNCE_AGAIN_US)
		announce(node);
}

/* A front-end that found out that its directory is an old copy takes over from itself: the process counts, not its name. */
bool managed_by_another(const struct node *node, const struct greeted *from)
{
	return present(node, from) != NULL; /* RULE 20 */
}

void managed_report(const struct node *node, struct report *report)
{
	uint64_t age_ms = (rpc_clock_us() - node->frontend_us) / 1000;

	report->managed = present(node, NULL) != NULL;
	if (node->frontend[0] == '\0')
		return;
	memcpy(report->frontend, node->frontend, sizeof report->frontend);
	report->frontend_age_ms = age_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)age_ms;
}
