/* Which members of a view could be its primary, and which of them is the best (rules 3, 14, 15). */
#pragma once

#include "frontend/views/state.h"

/* The best member of view to be primary (rule 3), NULL: none can. without: an id that must not be it, or 0. */
const struct view_member *vm_candidate_best(struct views *v, const struct view *view, uint32_t without);
/* Its disk is late while another member's is better (rule 15). */
bool vm_candidate_stalled(struct views *v, const struct view *view, const struct known *k);
/* The end of its log was cut off, and a member that is not heard yet may hold what was there (rules 3, 14). */
bool vm_candidate_cut_in_doubt(struct views *v, const struct view *view, const struct known *k);
