/* What the primary requests: to evict a member, to admit a learner, to drop one that lost data (rules 9, 10, 14). A
 * need counts only in the view that it names, and only from that view's primary. */
#pragma once

#include "frontend/views/state.h"

struct needs {
	bool admit;                      /* a learner counts: a view must be made, with or without it */
	struct joint learners[LIMIT_REPLICAS];
	uint32_t learners_count;
	bool evict[LIMIT_REPLICAS];      /* by place in the current view */
	bool full[LIMIT_REPLICAS];       /* by place: it has no room, and the primary has */
	bool lost_data[LIMIT_REPLICAS];
	bool primary_is_suspect;
};

void vm_needs_read(struct views *v, struct needs *needs);
/* Records since when the primary has named each replica for eviction. */
void vm_needs_note(struct views *v);
void vm_needs_admit(struct views *v, const struct needs *needs, struct view *view);
