/* Reasons that are not the replicas' fault, or that waiting does not mend: the front-end's own disk, another data directory
 * under a member's id, and orders that another cluster's replicas hold. In words; nothing is decided by them. */
#pragma once

#include "frontend/views/state.h"

bool vm_store_is_slow(const struct views *v);
/* True with a text: it is the front-end's own disk. */
bool vm_explain_store(const struct views *v, char text[static VIEWS_TEXT_SIZE]);
/* Each appends, begun with "; ", or nothing. */
void vm_explain_replaced(struct views *v, const struct view *view, bool all_needed, char text[static VIEWS_TEXT_SIZE]);
void vm_explain_foreign(const struct views *v, char *text, size_t size);
/* Who is there and cannot be understood: to start it would be no help, and its note says what is. */
void vm_explain_formats(const struct views *v, char text[static VIEWS_TEXT_SIZE]);
