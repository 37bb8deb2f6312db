/* Views, bindings, start and end. One function enters a view and clears everything that held in the old one only. */
#pragma once

#include "server/replica/state.h"

/* A higher view, in which this replica has any role. Ends as moved what was promised under the old one. */
void replica_enter_view(struct replica *r, const struct view *view);
/* A higher view exists: a primary serves no longer. Nothing for others. */
void replica_depose(struct replica *r, uint64_t higher);
void replica_install(struct replica *r, const struct replica_install *install);
/* Those that waited for the view to be durable, which it is. */
void replica_answer_installs(struct replica *r);
void replica_answer_bind(struct replica *r, bool ok);
void replica_bind(struct replica *r, const struct replica_bind *bind);
/* Recovery is over. tail_cut and damage as in the event. */
void replica_start(struct replica *r, uint64_t tail_cut, const char *damage);
/* failure: NULL, or why this process does not survive for long. */
void replica_stop(struct replica *r, const char *failure);
/* Exits once nothing is left to hand over or to write, or the time for it is over. */
void replica_stop_check(struct replica *r);
