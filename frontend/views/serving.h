/* The current view is spoken of here alone: installed at its primary, and told to the router. */
#pragma once

#include "frontend/views/state.h"

void vm_serving_install(struct views *v);
void vm_serving_route(struct views *v);
