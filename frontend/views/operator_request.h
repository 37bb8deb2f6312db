/* An operator's command under way. At most one of each kind; every token is answered exactly once. */
#pragma once

#include "frontend/views/state.h"

void vm_request_open(struct views *v, struct operator_request *request, uint64_t token, uint32_t id);
/* Answers all that are open. */
void vm_request_close_all(struct views *v, const char *why);
