/* Members that compute another state from the operations than a serving primary did (RULE 8). One of two programs is wrong,
 * not a disk, so such a member stays, stores and counts as a copy; but it leads no view and is asked nothing, because clients
 * were told what the primary computed. Nobody is evicted for it.
 *
 * v->marks is what is known, and decides at once. v->durable.marks is what is stored, and all that others are told of. */
#pragma once

#include "frontend/views/state.h"

/* Takes in what the reports say. view: the current one, or the one that is taken over. */
void vm_fold_learn(struct views *v, const struct view *view);
/* It computes another state, and does not serve. */
bool vm_fold_differs(struct views *v, const struct known *k);
/* The same as far as it is stored. NULL: it does not. */
const struct fold_mark *vm_fold_told(struct views *v, const struct known *k);
/* Drops the marks that mean nothing in this view: of who is not expected in it or has other data, and of an only member,
 * whose state is the only one that there is. */
void vm_fold_settle(const struct view *view, struct fold_marks *marks);
bool vm_fold_is_stored(const struct views *v);
/* Logs what has changed with the last STORE. */
void vm_fold_say(struct views *v, const struct fold_marks *before);
/* "replica 3 (0.1.0) computes another state than primary 1 (0.2.0) from op 17 on" */
void vm_fold_describe(struct views *v, const struct fold_mark *mark, char *text, size_t size);
void vm_fold_check(const struct views *v);
