/* What replicas report of themselves: hellos, reports, bindings. It is only recorded here; the files that look at all
 * replicas decide what follows. */
#pragma once

#include "frontend/views/state.h"

void vm_hello_answered(struct views *v, const struct views_hello *hello);
void vm_hello_report(struct views *v, uint32_t id, const struct report *report);
void vm_hello_bound(struct views *v, uint32_t id, const struct report *report);
