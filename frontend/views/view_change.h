/* The gates of a view: the one function that asks for a view to be stored, and the one that makes a stored view the
 * current one. */
#pragma once

#include "frontend/views/state.h"

/* A view in the making: as election, formation, takeover, operator and removal propose it. */
struct plan {
	struct view view; /* number, manager and addresses are filled in by vm_view_propose */
	char why[REPORT_TEXT_SIZE];
	bool resets_floor;
};

void vm_view_propose(struct views *v, struct plan *plan);
/* Stores the current view again when more is known of what its members compute. */
void vm_view_consider_marks(struct views *v);
void vm_view_stored(struct views *v, uint64_t ticket, bool ok);
void vm_view_adopt(struct views *v, const struct views_stored *stored);
