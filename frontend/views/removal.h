/* Removal: an operator declares that a lost replica will not come back, so that it is no longer expected. A removal is
 * a view without the replica, and as durable. A replica that comes back after all is a learner like any other, and
 * expected again once it is admitted. */
#pragma once

#include "frontend/views/state.h"

void vm_removal_asked(struct views *v, uint64_t token, uint32_t id);
void vm_removal_consider(struct views *v);
void vm_removal_settle(struct views *v);
