/* An operator's upgrade: a view that raises the format in use to the highest that everybody speaks. */
#pragma once

#include "frontend/views/state.h"

void vm_upgrade_asked(struct views *v, uint64_t token);
/* Proposes that view once a replica serves. */
void vm_upgrade_consider(struct views *v);
/* Answers the request when it is done, or cannot be. */
void vm_upgrade_settle(struct views *v);
