#include "server/replica/view_change.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/replica/damage.h"
#include "server/replica/output.h"
#include "server/replica/peers.h"
#include "server/replica/role.h"
#include "server/replica/submit.h"
#include "server/replica/writes.h"

static void ack_old_view(struct replica *r, uint64_t token)
{
	replica_do(r, DO_ACK)->ack = (struct replica_acknowledge){
		.token = token, .ack = {.status = PUSH_OLD_VIEW, .view = r->durable_view.number, .uuid = r->uuid}};
}

static void answer_install(struct replica *r, uint64_t token, const char *refusal)
{
	replica_do(r, DO_INSTALLED)->installed = (struct replica_installed){
		.token = token, .ok = refusal == NULL,
		.text = refusal == NULL ? NULL : replica_text(r, "%s", refusal)};
}

void replica_answer_bind(struct replica *r, bool ok)
{
	struct replica_action *action = replica_do(r, DO_BOUND);

	action->bound.token = r->bind.token;
	action->bound.ok = ok;
}

/* RULE 4: what was promised under the old view ends as "moved", never as "refused". */
static void leave_view(struct replica *r)
{
	replica_drop_requests(r);
	for (uint32_t i = 0; i < r->acks_count; i++)
		ack_old_view(r, r->acks[i].token);
	r->acks_count = 0;
	if (r->staging_token != 0) {
		ack_old_view(r, r->staging_token);
		r->staging_token = 0;
	}
	for (uint32_t i = 0; i < r->install_count; i++)
		answer_install(r, r->install_tokens[i], "overtaken by a higher view");
	r->install_count = 0;
}

/* The one gate of views. */
void replica_enter_view(struct replica *r, const struct view *view)
{
	must(view->number > r->view.number); /* RULE 2 */
	must(view->members_count > 0);
	leave_view(r);
	r->view = *view;
	r->bound = view->manager; /* RULE 20: bound with its view */
	r->entered = true;
	r->whole_here = false;
	r->proved_end = 0; /* RULE 5 */
	r->commit_heard = 0;
	r->fold.equal_op = 0; /* RULE 8: with another primary, perhaps another program */
	r->joint_count = 0;
	r->needs_count = 0;
	replica_peers_reset(r); /* RULE 5: acknowledgements and the joint set of the old view are gone */

	enum replica_role role = replica_role_in(r, view);

	if (role == ROLE_PRIMARY) {
		r->settle_op = replica_log_last(r->log);
		r->whole_view = view->number;
		r->tail_cut = 0;
		replica_index_log(r);
	}
	replica_become(r, role, role == ROLE_PRIMARY ? STATE_SETTLING : STATE_CATCHING_UP);
	r->view_ticket = replica_write_meta(r);
	r->entered_whole_ticket = r->view_ticket;
	replica_say(r, LOG_LEVEL_INFO, "entering view=%" PRIu64 " role=%s primary=%" PRIu32 " members=%" PRIu32,
		    view->number, replica_role_name(r->role), view->primary, view->members_count);
	replica_news(r);
	if (r->role == ROLE_PRIMARY)
		replica_peers_connect(r);
}

/* A higher view exists, so nothing more can be committed here: no longer serve. */
void replica_depose(struct replica *r, uint64_t higher)
{
	if (r->role != ROLE_PRIMARY || higher <= r->view.number || r->state == STATE_DAMAGED)
		return;
	if (r->state == STATE_DEPOSED)
		return;
	replica_say(r, LOG_LEVEL_INFO, "deposed: view=%" PRIu64 " exists", higher);
	replica_drop_requests(r);
	replica_become(r, ROLE_PRIMARY, STATE_DEPOSED);
	replica_peers_reset(r);
	replica_news(r);
}

void replica_answer_installs(struct replica *r)
{
	for (uint32_t i = 0; i < r->install_count; i++) {
		must(replica_view_durable(r)); /* RULE 2 */
		answer_install(r, r->install_tokens[i], NULL);
	}
	r->install_count = 0;
}

static const char *install_refusal(struct replica *r, const struct view *view)
{
	if (r->state == STATE_DAMAGED) /* RULE 14 */
		return "damaged";
	if (!uuid_is_nil(r->bound) && !uuid_equal(r->bound, view->manager)) /* RULE 20 */
		return "bound to another view manager";
	if (!uuid_is_nil(r->view.cluster) && !uuid_equal(r->view.cluster, view->cluster)) /* RULE 17 */
		return "of another cluster";
	if (view->number < r->view.number) /* RULE 4 */
		return "in a higher view already";
	if (!replica_is_primary_of(r, view))
		return "not the primary of that view";
	if (view->number == r->view.number && !r->entered) /* RULE 6 */
		return "this process did not enter that view: a new one is needed";
	if (view->number == r->view.number && !view_equal(view, &r->view)) /* RULE 2 */
		return "that number names another view here";
	return NULL;
}

void replica_install(struct replica *r, const struct replica_install *install)
{
	const char *refusal = install_refusal(r, install->view);

	if (refusal == NULL && r->install_count == sizeof r->install_tokens / sizeof r->install_tokens[0])
		refusal = "too many of these calls at once";
	if (refusal != NULL) {
		answer_install(r, install->token, refusal);
		return;
	}
	if (install->view->number > r->view.number)
		replica_enter_view(r, install->view);
	if (install->peers != NULL)
		replica_peers_sync(r, install->peers);
	r->install_tokens[r->install_count++] = install->token;
	if (replica_view_durable(r))
		replica_answer_installs(r);
}

/* RULE 20: the answer goes out once the binding is durable. */
void replica_bind(struct replica *r, const struct replica_bind *bind)
{
	if (r->bind.token != 0)
		replica_answer_bind(r, false);
	if (!uuid_equal(r->bound, bind->manager))
		replica_say(r, LOG_LEVEL_WARN, "bound to a new view manager");
	r->bound = bind->manager;
	r->bind.token = bind->token;
	r->bind.ticket = replica_write_meta(r);
}

void replica_start(struct replica *r, uint64_t tail_cut, const char *damage)
{
	must(!r->started);
	r->started = true;
	/* RULE 14: an earlier start's cut counts until the log has been made whole; the lower one tells more. */
	if (tail_cut != 0 && (r->tail_cut == 0 || tail_cut < r->tail_cut))
		r->tail_cut = tail_cut;
	r->tick_ms = r->now_ms;
	r->written_op = r->durable_op = replica_log_last(r->log);
	r->durable_view = r->view;
	r->durable_bound = r->bound;
	r->durable_whole_view = r->whole_view;

	enum replica_role role = replica_role_in(r, &r->view);

	if (role == ROLE_NONE)
		replica_become(r, role, STATE_IDLE);
	else if (role == ROLE_PRIMARY)
		replica_become(r, role, STATE_NEED_NEW_VIEW); /* RULE 6: it was another process that entered this view */
	else
		replica_become(r, role, STATE_CATCHING_UP);
	if (damage != NULL)
		replica_damaged(r, damage);
	else if (r->recovery_broken) /* RULE 14 */
		replica_damaged(r, "journal and snapshot do not fit together");
	replica_write_meta(r);
	replica_news(r);
}

/* SIGTERM, or a failure that this process does not survive for long: hand over first (RULE 10: and stay a member), but not
 * forever, and not without a manager to do it. */
void replica_stop(struct replica *r, const char *failure)
{
	if (r->stopping)
		return;
	r->stopping = true;
	r->stop_by_ms = r->now_ms + 2000;
	if (failure != NULL)
		snprintf(r->detail, sizeof r->detail, "%s", failure);
	replica_say(r, LOG_LEVEL_INFO, "stopping");
	replica_news(r);
	replica_stop_check(r);
}

void replica_stop_check(struct replica *r)
{
	bool leads = r->role == ROLE_PRIMARY && (r->state == STATE_SERVING || r->state == STATE_SETTLING);
	bool handing_over = leads && r->manager_connected && r->view.members_count > 1; /* RULE 10 */
	bool following_first = r->role == ROLE_BACKUP && r->state == STATE_CATCHING_UP && r->manager_connected;

	if (!r->stopping || r->exiting)
		return;
	if ((handing_over || following_first || r->writes_count > 0 || r->acks_count > 0) && r->now_ms < r->stop_by_ms)
		return;
	r->exiting = true;
	replica_do(r, DO_EXIT);
}
