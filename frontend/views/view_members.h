/* The list of members of a view in the making, and what must be true of every view. */
#pragma once

#include "frontend/views/state.h"

void vm_view_must_be_whole(const struct view *view);
void vm_view_member_add(struct view *view, uint32_t id, struct uuid uuid);
void vm_view_member_drop(struct view *view, uint32_t id);
