#include "server/peers/speaker.h"

#define SUSPECT_DEFAULT_US 250000u /* until its first heartbeat says how long it may be silent */
#define LATE_US (4 * REPLICA_TICK_MS * 1000u) /* ticks further apart than this: our own loop was late */

static bool names_other(struct uuid named, struct uuid ours)
{
	return !uuid_is_nil(named) && !uuid_equal(named, ours);
}

/* RULE 17: either end refuses a mismatch and says so. A view manager may meet an older generation of its own
 * cluster: it is the one that tells it to start again. */
enum hello_status speaker_hello(const struct identity *me, struct uuid bound, const struct identity *who,
				const struct identity *meant)
{
	if (who->format != me->format)
		return HELLO_OTHER_FORMAT;
	if (who->program_base != me->program_base)
		return HELLO_FORMAT;
	if ((meant->id != 0 && meant->id != me->id) || names_other(meant->uuid, me->uuid) ||
	    names_other(meant->incarnation, me->incarnation))
		return HELLO_NOT_ME;
	if (!uuid_is_nil(me->cluster) && names_other(who->cluster, me->cluster))
		return HELLO_CLUSTER;
	if (who->id != 0 && !uuid_is_nil(me->cluster) && names_other(who->generation, me->generation))
		return HELLO_CLUSTER;
	if (who->id == 0 && names_other(bound, who->uuid)) /* RULE 20 */
		return HELLO_BOUND;
	return HELLO_OK;
}

bool speaker_is_admitted(enum hello_status answer)
{
	return answer == HELLO_OK || answer == HELLO_BOUND; /* RULE 17 */
}

struct identity speaker_meant(const struct identity *me, const struct replica_name *name, struct uuid incarnation)
{
	return (struct identity){.format = me->format, .program_base = me->program_base, .id = name->id,
				 .uuid = name->uuid, .incarnation = incarnation, .cluster = me->cluster,
				 .generation = me->generation};
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
	return speaker->identity.id == 0;
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
	return newer->identity.id == older->identity.id && uuid_equal(newer->identity.uuid, older->identity.uuid);
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
