/* What the current view means for others: it is installed at its primary, and the router is told who serves. */
#pragma once

#include "frontend/views/state.h"

void vm_serving_install(struct views *v);
void vm_serving_route(struct views *v);
