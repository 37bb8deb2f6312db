/* An operator's command under way. At most one of each kind; every token is answered exactly once. */
#pragma once

#include "frontend/views/state.h"

void vm_request_open(struct views *v, struct operator_request *request, uint64_t token, uint32_t id);
/* Whether the view that it asks for may still be stored. False: its time is over and it is closed; *answered: who asked was told
 * that the outcome is not known, because one was on its way to the disk. what: "replica 2 is removed". */
bool vm_request_waits(struct views *v, struct operator_request *request, const char *what, bool *answered);
/* Answers all that are open. */
void vm_request_close_all(struct views *v, const char *why);
