/* The expected copies: every replica that has been admitted and that no operator has removed since. A lost replica and
 * a removed one look alike from outside; this list, which is part of the view, tells them apart. It decides nothing:
 * membership is the view's list of members (rule 3). */
#pragma once

#include "frontend/views/state.h"

void vm_expected_add(struct views *v, struct view *view, uint32_t id);
void vm_expected_drop(struct view *view, uint32_t id);
/* The last step of making a view: every member is expected, and every other expected replica is lost from now on. */
void vm_expected_settle(struct views *v, struct view *view);
uint32_t vm_expected_count(const struct views *v);
/* ", replica 2 lost since 2026-11-30T19:00:00Z" for each that is missing. */
void vm_expected_lost(struct views *v, char *text, size_t size);
int64_t vm_expected_lost_us(const struct views *v, const struct known *k);
