/* The primary and the members of the next view (rules 3, 6, 10, 15). It is level-triggered, so it may be called after
 * every event; it acts when the current view cannot go on, or when its primary asks for a change. */
#pragma once

#include "frontend/views/state.h"

void vm_election_consider(struct views *v);
