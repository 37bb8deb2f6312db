#include "frontend/views/hello.h"

#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/clocks.h"
#include "frontend/views/connection.h"
#include "frontend/views/known.h"

/* A new uuid means new data: nothing that was known of the old data holds any more. */
static void forget_data(struct views *v, struct known *k)
{
	k->lost_data = false;
	vm_connection_unbound(v, k);
	k->evict_since_ms = 0;
	k->connect_floor = 0;
}

static void take_report(struct views *v, struct known *k, const struct report *report)
{
	must(k->link == LINK_UP);
	must(report->id == k->id); /* RULE 17 */
	if (!uuid_equal(report->uuid, k->identity.uuid)) {
		vm_say_of(v, k, LOG_LEVEL_INFO, "set its data aside and drew a new uuid");
		forget_data(v, k);
		k->identity.uuid = report->uuid;
		memset(&k->identity.cluster, 0, sizeof k->identity.cluster);
		memset(&k->identity.generation, 0, sizeof k->identity.generation);
	}
	if (report->view.number > 0) {
		k->identity.cluster = report->view.cluster;
		k->identity.generation = report->view.generation;
	}
	k->report = *report;
	vm_clocks_heard(v, k, report);
	k->report_ms = v->now_ms;
	/* RULE 20: a replica that was unbound at its hello has since been bound to our predecessor, by a push in the
	 * view that we take over. It refuses our views until it is bound to us. */
	if (k->hello_status == HELLO_OK && !k->bound && !uuid_is_nil(report->view.manager) &&
	    !uuid_equal(report->view.manager, v->manager))
		k->hello_status = HELLO_BOUND;
	if (report->state == STATE_DAMAGED && !k->lost_data) {
		/* RULE 14 */
		k->lost_data = true;
		vm_say_of(v, k, LOG_LEVEL_ERROR, "damaged: %.100s", report->detail);
	}
}

/* RULE 2, 3: a durable view number never falls, whatever happens to the process. The replica may have been primary of
 * the view that it no longer knows, so nothing it holds can be trusted. */
static void check_view(struct views *v, struct known *k, const struct report *report)
{
	if (report->view.number >= k->report.view.number || k->lost_data)
		return;
	k->lost_data = true;
	vm_say_of(v, k, LOG_LEVEL_ERROR, "has lost data: knows view %llu, and was in view %llu",
		  (unsigned long long)report->view.number, (unsigned long long)k->report.view.number);
}

static bool being_admitted(const struct views *v, const struct known *k)
{
	return v->ticket != 0 && view_member_exact(&v->next.view, k->id, k->identity.uuid) != NULL;
}

static bool refused_hello(struct views *v, struct known *k, const struct views_hello *hello)
{
	const char *text = hello->text != NULL ? hello->text : "";

	if (hello->identity == NULL || hello->report == NULL || k->hello_status == HELLO_FORMAT ||
	    k->hello_status == HELLO_OTHER_FORMAT) { /* RULE 17 */
		bool other_format = k->hello_status == HELLO_OTHER_FORMAT;

		k->hello_status = HELLO_FORMAT;
		vm_say_of(v, k, LOG_LEVEL_ERROR, "%s%.130s", other_format ? "" : REFUSED_HELLO_TEXT ": ", text);
		k->note_kind = other_format ? NOTE_OTHER_FORMAT : NOTE_ANYTHING;
		vm_connection_close(v, k, FOREIGN_LOOK_MS);
		return true;
	}
	/* RULE 17 */
	if (k->hello_status == HELLO_NOT_ME || hello->identity->id != k->id || hello->report->id != k->id) {
		k->hello_status = HELLO_NOT_ME;
		vm_say_of(v, k, LOG_LEVEL_WARN, OTHER_PROCESS_TEXT " at %s: %.100s", k->tried, text);
		vm_connection_close(v, k, k->backoff_ms);
		k->backoff_ms = BACKOFF_MOST_MS;
		return true;
	}
	return false;
}

/* RULE 17: whether we and the replica, which is of our cluster or of none yet, both speak the format in use. in_use: that
 * format, as far as either knows. */
static bool speaks_our_format(const struct views *v, const struct views_hello *hello, uint32_t *in_use)
{
	const struct view *current = &v->durable.view;
	const struct identity *who = hello->identity;

	*in_use = 0;
	if (who == NULL || hello->status == HELLO_OTHER_FORMAT || hello->status == HELLO_NOT_ME ||
	    (hello->status == HELLO_FORMAT && !format_range_valid(who->formats)))
		return true; /* it is refused in any case */
	if (uuid_is_nil(who->cluster) || uuid_is_nil(current->cluster) || uuid_equal(who->cluster, current->cluster))
		*in_use = who->format > current->format ? who->format : current->format;
	return format_range_agrees(who->formats, v->options.formats, *in_use);
}

static void connection_is_up(struct views *v, struct known *k)
{
	must(k->link != LINK_DOWN);
	k->link = LINK_UP;
	k->attempts = 0;
	k->up_ms = v->now_ms;
	k->heard_ms = v->now_ms;
	k->refused = false;
	k->hung = false;
	k->forgotten = false;
	k->evict_since_ms = 0;
	k->connection++;
}

void vm_hello_answered(struct views *v, const struct views_hello *hello)
{
	struct known *k = vm_known_find(v, hello->id);
	struct views_hello otherwise = *hello;
	char text[REPORT_TEXT_SIZE];
	uint32_t in_use;

	if (k == NULL || k->link == LINK_DOWN)
		return; /* closed meanwhile */
	bool restarted = k->identified && hello->identity != NULL &&
			 !uuid_equal(k->identity.incarnation, hello->identity->incarnation);

	connection_is_up(v, k);
	if (!speaks_our_format(v, hello, &in_use)) {
		otherwise.status = HELLO_OTHER_FORMAT;
		otherwise.text = vm_connection_explain_format(v, hello->identity->formats, in_use, text);
		hello = &otherwise;
	}
	k->hello_status = hello->status;
	if (refused_hello(v, k, hello))
		return;
	if (k->identified && !uuid_equal(k->identity.uuid, hello->identity->uuid)) {
		vm_say_of(v, k, LOG_LEVEL_WARN, "came back with another data directory");
		forget_data(v, k);
	} else if (k->identified) {
		check_view(v, k, hello->report);
	}
	k->identified = true;
	k->identity = *hello->identity;
	if (k->hello_status == HELLO_BOUND)
		k->bound = false;
	else if (uuid_equal(hello->report->view.manager, v->manager))
		k->bound = true; /* a report names only what is durable */
	take_report(v, k, hello->report);
	if (vm_known_standing(v, k) == STANDING_FOREIGN) {
		/* Checked again later: it may be restarted with other data. */
		vm_say_of(v, k, LOG_LEVEL_WARN, "belongs to another cluster, whose orders it holds up to op %llu: left alone",
			  (unsigned long long)k->report.op);
		vm_connection_close(v, k, FOREIGN_LOOK_MS);
		return;
	}
	if (!vm_known_is_member(v, k) && !being_admitted(v, k))
		k->connect_floor = 0; /* another data directory under a member's id has acknowledged nothing */
	vm_connection_check_floor(v, k);
	if (!k->lost_data)
		vm_say_of(v, k, LOG_LEVEL_INFO, "%s at %s: %s, view %llu, op %llu", restarted ? "restarted" : "answers",
			  k->tried, replica_state_name(k->report.state), (unsigned long long)k->report.view.number,
			  (unsigned long long)k->report.op);
	v->install_ms = 0;
	/* The primary gets the new address at once: it may be waiting for this replica alone. */
	struct known *primary = vm_primary_known(v);

	if (primary != NULL && primary != k && vm_known_reachable(v, primary))
		vm_connection_beat(v, primary);
}

void vm_hello_report(struct views *v, uint32_t id, const struct report *report)
{
	struct known *k = vm_known_find(v, id);

	if (k == NULL || report == NULL || k->link != LINK_UP || report->id != id)
		return;
	k->heard_ms = v->now_ms;
	/* A report that was overtaken by a newer one. `news` rises within an incarnation, and the hello began one. */
	if (report->news < k->report.news && uuid_equal(report->uuid, k->report.uuid))
		return;
	/* While we have no view ours would be made from this one. */
	if (v->mode != MODE_NORMAL && !vm_connection_check_format(v, k, report->view.format))
		return;
	take_report(v, k, report);
}

void vm_hello_bound(struct views *v, uint32_t id, const struct report *report)
{
	struct known *k = vm_known_find(v, id);

	if (k == NULL || report == NULL || k->link != LINK_UP || report->id != id)
		return;
	/* Bound to the manager uuid that we had before our data directory turned out to be an old copy: ask again. */
	k->bind_open = false;
	if (!uuid_is_nil(report->view.manager) && !uuid_equal(report->view.manager, v->manager))
		return;
	k->heard_ms = v->now_ms;
	k->confirmed = k->bound && k->bind_round == v->bind_round;
	k->bound = true;
	k->hello_status = HELLO_OK;
	take_report(v, k, report);
	vm_say_of(v, k, LOG_LEVEL_INFO, "bound to this front-end, view %llu", (unsigned long long)report->view.number);
}
