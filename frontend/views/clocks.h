/* Whose wall clock is far from the others' (RULE 16). No decision depends on it: it is named in the log and in status, and
 * what the primary makes of such clocks is server/shop/order_time.c's. Every replica that answers has a voice, and so have
 * we; far is who differs from more than half of the other voices. */
#pragma once

#include "frontend/views/state.h"

void vm_clocks_heard(struct views *v, struct known *k, const struct report *report);
void vm_clocks_tick(struct views *v);
/* What is wrong with the clocks, each part begun with "; ". */
void vm_clocks_explain(const struct views *v, char *text, size_t size);
