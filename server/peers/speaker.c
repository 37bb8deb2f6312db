#include "server/peers/speaker.h"

#define SUSPECT_DEFAULT_US 250000u /* until its first heartbeat says how long it may be silent */
#define LATE_US (4 * REPLICA_TICK_MS * 1000u) /* ticks further apart than this: our own loop was late */

static bool names_other(struct uuid named, struct uuid ours)
{
	return !uuid_is_nil(named) && !uuid_equal(named, ours);
}

/* A view manager is a front-end, and who pushes is a replica; the other purposes are anybody's. */
static bool purpose_is_possible(const struct identity *who)
{
	switch (who->purpose) {
	case PURPOSE_MANAGER:
		return who->id == 0;
	case PURPOSE_PUSH:
		return who->id != 0;
	case PURPOSE_GOSSIP:
	case PURPOSE_BACKUP:
		return true;
	case PURPOSE_NONE:
		break;
	}
	return false;
}

/* A view manager may meet an older generation of its own cluster: it is the one that tells it to start again. What is
 * gossiped outlives a generation. */
static bool needs_same_generation(const struct identity *who)
{
	return who->purpose != PURPOSE_MANAGER && who->purpose != PURPOSE_GOSSIP;
}

/* RULE 17: either end refuses a mismatch and says so. */
enum hello_status speaker_hello(const struct identity *me, struct uuid bound, const struct identity *who,
				const struct identity *meant)
{
	uint32_t in_use = identity_format_in_use(who, me);

	if (!format_range_overlaps(who->formats, me->formats))
		return HELLO_OTHER_FORMAT;
	if (who->program_base != me->program_base)
		return HELLO_FORMAT;
	if (!purpose_is_possible(who))
		return HELLO_FORMAT;
	if ((meant->id != 0 && meant->id != me->id) || names_other(meant->uuid, me->uuid) ||
	    names_other(meant->incarnation, me->incarnation))
		return HELLO_NOT_ME;
	if (!uuid_is_nil(me->cluster) && names_other(who->cluster, me->cluster))
		return HELLO_CLUSTER;
	if (needs_same_generation(who) && !uuid_is_nil(me->cluster) && names_other(who->generation, me->generation))
		return HELLO_CLUSTER;
	if (!format_range_includes(who->formats, in_use) || !format_range_includes(me->formats, in_use))
		return HELLO_OTHER_FORMAT;
	if (who->purpose == PURPOSE_MANAGER && names_other(bound, who->uuid)) /* RULE 20 */
		return HELLO_BOUND;
	return HELLO_OK;
}

bool speaker_is_admitted(enum hello_status answer)
{
	return answer == HELLO_OK || answer == HELLO_BOUND; /* RULE 17 */
}

struct identity speaker_meant(const struct identity *me, const struct replica_name *name, struct uuid incarnation)
{
	return (struct identity){.program_base = me->program_base, .id = name->id, .uuid = name->uuid,
				 .incarnation = incarnation, .cluster = me->cluster, .generation = me->generation};
}

bool speaker_is_meant(const struct replica_name *name, struct uuid incarnation, enum hello_status answer,
		      const struct identity *answering)
{
	return answer == HELLO_OK && answering->id == name->id && uuid_equal(answering->uuid, name->uuid) &&
	       uuid_equal(answering->incarnation, incarnation); /* RULE 17 */
}

struct speaker speaker_of(const struct identity *who, uint64_t now_us)
{
	return (struct speaker){.identity = *who, .heard_us = now_us, .silence_us = SUSPECT_DEFAULT_US};
}

void speaker_heard(struct speaker *speaker, uint32_t suspect_ms, uint64_t now_us)
{
	speaker->heard_us = now_us;
	if (suspect_ms > 0)
		speaker->silence_us = suspect_ms * UINT64_C(1000);
}

bool speaker_is_manager(const struct speaker *speaker)
{
	return speaker->identity.purpose == PURPOSE_MANAGER;
}

bool speaker_pushes(const struct speaker *speaker)
{
	return speaker->identity.purpose == PURPOSE_PUSH;
}

bool speaker_manages(const struct speaker *speaker, struct uuid bound)
{
	return speaker_is_manager(speaker) && (uuid_is_nil(bound) || uuid_equal(bound, speaker->identity.uuid));
}

bool speaker_is_manager_named(const struct speaker *speaker, struct uuid manager)
{
	return speaker_is_manager(speaker) && uuid_equal(speaker->identity.uuid, manager);
}

bool speaker_replaces(const struct speaker *newer, const struct speaker *older)
{
	return newer->identity.id == older->identity.id && uuid_equal(newer->identity.uuid, older->identity.uuid) &&
	       newer->identity.purpose == older->identity.purpose;
}

bool speaker_clock_is_late(uint64_t tick_us, uint64_t now_us)
{
	return tick_us != 0 && now_us - tick_us > LATE_US; /* RULE 15 */
}

bool speaker_is_present(const struct speaker *speaker, struct uuid bound, const struct speaker *but, bool late,
			uint64_t now_us)
{
	if (!speaker_is_manager(speaker) || uuid_is_nil(bound) || !uuid_equal(speaker->identity.uuid, bound))
		return false;
	if (but != NULL && uuid_equal(speaker->identity.incarnation, but->identity.incarnation))
		return false;
	return late || now_us - speaker->heard_us <= speaker->silence_us; /* RULE 20 */
}
