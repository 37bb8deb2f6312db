/* Views, bindings, start and end. One function enters a view and clears everything that held in the old one only. */
#pragma once

#include "server/replica/state.h"

void replica_enter_view(struct replica *r, const struct view *view);
void replica_depose(struct replica *r, uint64_t higher);
void replica_install(struct replica *r, const struct replica_install *install);
void replica_answer_installs(struct replica *r);
void replica_answer_bind(struct replica *r, bool ok);
void replica_bind(struct replica *r, const struct replica_bind *bind);
void replica_start(struct replica *r, uint64_t tail_cut, const char *damage);
void replica_stop(struct replica *r, const char *failure);
void replica_stop_check(struct replica *r);
