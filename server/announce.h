/* Tells the front-end that this replica is here (--frontend HOST). It only wakes its discovery early: nothing
 * depends on it, and a failure is not worth more than a debug line. */
#pragma once

struct node;

void announce(struct node *node);
void announce_cancel(struct node *node);
