#include "frontend/views/serving.h"

#include <string.h>

#include "frontend/views/actions.h"
#include "frontend/views/candidates.h"
#include "frontend/views/connection.h"
#include "frontend/views/explain.h"
#include "frontend/views/fold.h"
#include "frontend/views/known.h"
#include "frontend/views/reasons.h"

void vm_serving_install(struct views *v)
{
	struct known *k = v->mode == MODE_NORMAL ? vm_primary_known(v) : NULL;

	/* RULE 6: a replica that came back without its data may have been primary of this very view. */
	if (k == NULL || !vm_known_reachable(v, k) || k->lost_data || v->now_ms < v->install_ms ||
	    vm_candidate_cut_in_doubt(v, &v->durable.view, k) || vm_fold_differs(v, k)) /* RULE 8 */
		return;
	if (k->report.view.number >= v->durable.view.number)
		return;
	/* RULE 2: only a durable view is sent, and vm_view_adopt alone sets `durable`. RULE 6: a repeated INSTALL is
	 * harmless. */
	must(v->durable.view.number != v->next.view.number || v->ticket == 0 || v->next_is_current);
	must(v->durable.view.primary == k->id);
	must(!k->lost_data); /* RULE 6 */
	v->install_ms = v->now_ms + v->options.heartbeat_ms;
	/* RULE 10: the heartbeat carries --min-members. Without it a new process would take orders with fewer members
	 * until its first heartbeat. */
	vm_connection_beat(v, k);
	vm_do_install(v, k);
}

void vm_serving_route(struct views *v)
{
	const struct known *k = vm_primary_serving(v);
	char text[VIEWS_TEXT_SIZE];

	if (k != NULL) {
		if (v->routed && v->routed_id == k->id && v->routed_view == v->durable.view.number &&
		    v->routed_connection == k->connection)
			return;
		vm_do_route(v, k);
		v->routed = true;
		v->held_ms = 0;
		v->routed_id = k->id;
		v->routed_view = v->durable.view.number;
		v->routed_connection = k->connection;
		v->held[0] = '\0';
		return;
	}
	vm_explain(v, text);
	if (v->mode == MODE_TAKEOVER)
		vm_say_state(v, text); /* may last until somebody starts a replica: logged again now and then */
	else if (strcmp(text, v->held) != 0)
		vm_say(v, vm_store_is_slow(v) ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "%s", text);
	if (!v->routed && strcmp(text, v->held) == 0)
		return;
	if (v->routed)
		v->held_ms = v->now_ms;
	v->routed = false;
	memcpy(v->held, text, sizeof text);
	vm_do_hold(v, text);
}
