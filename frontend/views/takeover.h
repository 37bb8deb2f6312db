/* Taking over replicas that have been in views of another manager (rules 18 and 20): bind every member of the highest
 * view heard of and every joint learner that any of them names; when all are durably bound and none reports a higher
 * view, make the next one. And the reverse: noticing that another front-end took over from us. */
#pragma once

#include "frontend/views/state.h"

void vm_takeover_begin(struct views *v);
/* RULE 20: true while replicas hear another front-end and --take-over was not given: nothing is bound or formed. After
 * a while it ends this front-end. */
bool vm_takeover_managed(struct views *v);
uint64_t vm_takeover_deadline(const struct views *v);
void vm_takeover_consider(struct views *v);
void vm_takeover_explain_managed(struct views *v, char text[static VIEWS_TEXT_SIZE]);
void vm_takeover_explain(struct views *v, char text[static VIEWS_TEXT_SIZE]);
/* NORMAL: checks whether we are replaced, our view is an old copy, or a replica is still bound to a predecessor. */
void vm_takeover_watch(struct views *v);
