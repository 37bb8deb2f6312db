/* Converts a push from the wire into the core's types, as rpc/cluster/convert.h does for smaller messages. It alone
 * decides which operations may enter a log, and does not look at the sender. */
#pragma once

#include <stdbool.h>

#include "rpc/replica.h"
#include "server/replica/replica.h"

/* record: room for the view that may come along; entries: room for LIMIT_PUSH_ENTRIES. push points into both, and
 * entries to the bodies in args, which the core copies. False when args is nonsense: a view that is none or of a format
 * that we do not speak, a state of another op than the base, a body that could not be applied, ops beyond what 64 bits
 * count. */
bool push_from_wire(const jh_push_args *args, struct view *record, struct replica_entry *entries,
		    struct replica_push *push);
