/* The one gate of role and state, and what must hold in each state.
 *
 *   START --> IDLE (never in a view)
 *         --> NEED_NEW_VIEW (primary of a view this process did not enter; RULE 6)
 *         --> CATCHING_UP (backup or learner) --first whole push--> FOLLOWING
 *   INSTALL --> SETTLING --every member level--> SERVING --push of a higher view--> CATCHING_UP
 *                                                        --word of a higher view--> DEPOSED
 *   any --lost data--> DAMAGED */
#pragma once

#include "server/replica/state.h"

/* Must be a legal move. */
void replica_become(struct replica *r, enum replica_role role, enum replica_state state);
void replica_check_role(const struct replica *r);
bool replica_is_primary_of(const struct replica *r, const struct view *view);
/* NONE for view 0. */
enum replica_role replica_role_in(const struct replica *r, const struct view *view);

static inline bool replica_is_serving(const struct replica *r)
{
	return r->role == ROLE_PRIMARY && r->state == STATE_SERVING;
}
