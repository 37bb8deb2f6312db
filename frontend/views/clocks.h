/* Which wall clocks are far from the others (RULE 16). No decision depends on it: they are named in the log and in
 * status; server/shop/order_time.c deals with what they mean for order times. A clock is far when it differs from more
 * than half of the other clocks, those of all replicas that answer and our own. */
#pragma once

#include "frontend/views/state.h"

void vm_clocks_heard(struct views *v, struct known *k, const struct report *report);
void vm_clocks_tick(struct views *v);
/* What is wrong with the clocks, each part begun with "; ". */
void vm_clocks_explain(const struct views *v, char *text, size_t size);
