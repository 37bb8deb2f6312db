/* Taking over replicas that have been in views of another manager (rules 18 and 20): bind every member of the highest
 * view heard and every joint learner that any of them names; when all are durably bound and nobody told of a higher
 * view, make the next one. And noticing that somebody took over from us. */
#pragma once

#include "frontend/views/state.h"

void vm_takeover_begin(struct views *v);
/* RULE 20: replicas hear another front-end, and nobody has said --take-over: nothing is bound or formed. May end us. */
bool vm_takeover_managed(struct views *v);
uint64_t vm_takeover_deadline(const struct views *v);
void vm_takeover_consider(struct views *v);
void vm_takeover_explain_managed(struct views *v, char text[static VIEWS_TEXT_SIZE]);
void vm_takeover_explain(struct views *v, char text[static VIEWS_TEXT_SIZE]);
/* NORMAL: are we replaced, is our view an old copy, is somebody left bound to a predecessor? */
void vm_takeover_watch(struct views *v);
