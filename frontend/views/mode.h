/* The one gate of the mode (see enum mode), and what holds after every step. Nothing here depends on what a replica, an
 * operator or the disk said: a step that ends here is one that our own code got wrong. */
#pragma once

#include "frontend/views/state.h"

void vm_become(struct views *v, enum mode mode);
void vm_check(const struct views *v); /* at the end of each step */
