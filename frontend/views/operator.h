/* Operator requests: to move the primary, or, when members are lost for good, to force one (rule 3). Every token is
 * answered exactly once. */
#pragma once

#include "frontend/views/state.h"

void vm_operator_switchover(struct views *v, uint64_t token, uint32_t id);
void vm_operator_promote(struct views *v, uint64_t token, uint32_t id, bool confirm);
/* The member to switch over to now, 0: none (yet). */
uint32_t vm_operator_target(struct views *v);
/* Makes the forced view if one is asked for and can be made now. */
void vm_operator_consider(struct views *v);
/* Answers the requests that are done or late. */
void vm_operator_settle(struct views *v);
