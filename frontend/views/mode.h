/* The one function that changes the mode (see enum mode), and the invariants after every step. None of them depends on
 * what a replica, an operator or the disk does: a violation is a fault of our own code. */
#pragma once

#include "frontend/views/state.h"

void vm_become(struct views *v, enum mode mode);
void vm_check(const struct views *v); /* at the end of each step */
