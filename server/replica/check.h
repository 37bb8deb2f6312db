/* What holds between turns of the loop, whatever came from outside: relations between the fields that more than one file
 * writes. What holds in one state only is checked by role.c. Nothing here depends on what a peer or a manager said: a
 * failure is always a fault of our own code.
 *
 * An order takes ten steps. It is looked at when the turn of the loop that brought them ends, and what needs a walk over
 * writes, members or peers at the next tick. */
#pragma once

#include "server/replica/state.h"

void replica_check(const struct replica *r, enum replica_event_kind after);
