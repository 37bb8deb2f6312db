/* The copies that there should be: every replica that has been admitted and that no operator has removed since. Lost and
 * removed look alike from outside; this list, which is part of the view, tells them apart. It decides nothing: who is a
 * member is the view's own list (rule 3). */
#pragma once

#include "frontend/views/state.h"

void vm_expected_add(struct views *v, struct view *view, uint32_t id);
void vm_expected_drop(struct view *view, uint32_t id);
/* Every member is expected, and whoever is none is lost from now on: the last touch of a view in the making. */
void vm_expected_settle(struct views *v, struct view *view);
uint32_t vm_expected_count(const struct views *v);
/* ", replica 2 lost since 2026-11-30T19:00:00Z": those that are not there. */
void vm_expected_lost(struct views *v, char *text, size_t size);
int64_t vm_expected_lost_us(const struct views *v, const struct known *k);
