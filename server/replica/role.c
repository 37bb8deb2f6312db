#include "server/replica/role.h"

#include "server/replica/output.h"

#define BIT(state) (1u << (state))
#define ANY_VIEW (BIT(STATE_SETTLING) | BIT(STATE_CATCHING_UP)) /* a higher view is entered */

/* From each state, those that may follow. */
static const unsigned moves[] = {
	[STATE_IDLE] = BIT(STATE_IDLE) | BIT(STATE_NEED_NEW_VIEW) | ANY_VIEW | BIT(STATE_DAMAGED),
	[STATE_SETTLING] = BIT(STATE_SERVING) | BIT(STATE_DEPOSED) | ANY_VIEW | BIT(STATE_DAMAGED),
	[STATE_SERVING] = BIT(STATE_DEPOSED) | ANY_VIEW | BIT(STATE_DAMAGED),
	[STATE_FOLLOWING] = BIT(STATE_FOLLOWING) | ANY_VIEW | BIT(STATE_DAMAGED), /* a replacement makes it whole again */
	[STATE_CATCHING_UP] = BIT(STATE_FOLLOWING) | ANY_VIEW | BIT(STATE_DAMAGED),
	[STATE_NEED_NEW_VIEW] = BIT(STATE_DEPOSED) | ANY_VIEW | BIT(STATE_DAMAGED),
	[STATE_DEPOSED] = ANY_VIEW | BIT(STATE_DAMAGED),
	[STATE_DAMAGED] = 0, /* RULE 14: nothing heals that in this process */
};

void replica_become(struct replica *r, enum replica_role role, enum replica_state state)
{
	must(state <= STATE_DAMAGED);
	must((moves[r->state] & BIT(state)) != 0);
	replica_trace(r, "becomes %s/%s", replica_role_name(role), replica_state_name(state));
	r->role = role;
	r->state = state;
	replica_check_role(r);
}

bool replica_is_primary_of(const struct replica *r, const struct view *view)
{
	return view->primary == r->options.id && view_member_exact(view, r->options.id, r->uuid) != NULL;
}

enum replica_role replica_role_in(const struct replica *r, const struct view *view)
{
	if (view->number == 0)
		return ROLE_NONE;
	if (replica_is_primary_of(r, view))
		return ROLE_PRIMARY;
	return view_member_exact(view, r->options.id, r->uuid) != NULL ? ROLE_BACKUP : ROLE_LEARNER;
}

void replica_check_role(const struct replica *r)
{
	bool primary = r->role == ROLE_PRIMARY;

	switch (r->state) {
	case STATE_IDLE:
		must(r->role == ROLE_NONE);
		break;
	case STATE_SETTLING:
		must(primary && r->entered);
		must(r->settle_op <= replica_log_last(r->log));
		must(r->tail_cut == 0); /* RULE 14: its log is the view's now */
		break;
	case STATE_SERVING:
		must(primary && r->entered);
		must(r->commit >= r->settle_op); /* RULE 5 */
		must(r->whole_view == r->view.number);
		break;
	case STATE_FOLLOWING:
		must(r->role == ROLE_BACKUP || r->role == ROLE_LEARNER);
		must(r->whole_here);
		must(r->tail_cut == 0);
		break;
	case STATE_CATCHING_UP:
		must(r->role == ROLE_BACKUP || r->role == ROLE_LEARNER);
		must(!r->whole_here);
		break;
	case STATE_NEED_NEW_VIEW:
		must(primary && !r->entered); /* RULE 6 */
		break;
	case STATE_DEPOSED:
		must(primary);
		must(r->submits.count == 0);
		break;
	case STATE_DAMAGED:
		must(r->submits.count == 0); /* requests in validation are answered when it completes: moved */
		break;
	}
}
