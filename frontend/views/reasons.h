/* Reasons that waiting for replicas does not remove: the front-end's own disk, another data directory under a
 * member's id, another format, and orders that replicas of another cluster hold. Texts for people; nothing is
 * decided by them. */
#pragma once

#include "frontend/views/state.h"

bool vm_store_is_slow(const struct views *v);
/* True with a text: it is the front-end's own disk. */
bool vm_explain_store(const struct views *v, char text[static VIEWS_TEXT_SIZE]);
/* Each appends a part that begins with "; ", or nothing. */
void vm_explain_replaced(struct views *v, const struct view *view, bool all_needed, char text[static VIEWS_TEXT_SIZE]);
void vm_explain_foreign(const struct views *v, char *text, size_t size);
/* Appends the replicas that run another format: starting them would not help, and their note says what would. */
void vm_explain_formats(const struct views *v, char text[static VIEWS_TEXT_SIZE]);
