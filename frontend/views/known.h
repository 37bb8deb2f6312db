/* The replicas that are known: found by discovery, or members of the current view. */
#pragma once

#include "frontend/views/id_list.h"
#include "frontend/views/state.h"

struct known *vm_known_find(struct views *v, uint32_t id); /* NULL: none */
/* NULL: the table is full. */
struct known *vm_known_ensure(struct views *v, uint32_t id);
/* The replica that is this member, with the same uuid; NULL: its id is unknown, or has another data directory now. */
struct known *vm_known_member(struct views *v, const struct view_member *member);
enum standing vm_known_standing(const struct views *v, const struct known *k);
/* A connection is open and what it says may be used to choose primary and members. */
bool vm_known_reachable(const struct views *v, const struct known *k);
/* Gone for good as far as we can tell: refused, silent, or not reachable for suspect_ms (rule 15). */
bool vm_known_dead(const struct views *v, const struct known *k);
bool vm_known_is_member(const struct views *v, const struct known *k);
bool vm_member_reachable(struct views *v, const struct view_member *member);
bool vm_member_dead(struct views *v, const struct view_member *member);
/* Another data directory answers under its id: the member never comes back. */
bool vm_member_replaced(struct views *v, const struct view_member *member);

struct known *vm_primary_known(struct views *v); /* NULL: it is not known, or another data directory now */
/* The primary as it should be now: reachable, in the current view, entered and serving. NULL: none. */
struct known *vm_primary_serving(struct views *v);
/* It was admitted and has not been removed, or is a member. */
bool vm_known_expected(const struct views *v, uint32_t id);
/* The members of the current view that are reachable, or those that are not. */
void vm_members_that(struct views *v, bool reachable, struct id_list *list);
