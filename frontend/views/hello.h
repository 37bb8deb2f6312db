/* What replicas say of themselves: hellos, reports, bindings. Here it is only remembered; what follows from it is
 * decided by those who look at the whole. */
#pragma once

#include "frontend/views/state.h"

void vm_hello_answered(struct views *v, const struct views_hello *hello);
void vm_hello_report(struct views *v, uint32_t id, const struct report *report);
void vm_hello_bound(struct views *v, uint32_t id, const struct report *report);
