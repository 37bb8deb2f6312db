/* A state that was received from a primary, and whose process ended before the file got its name: whether the journal
 * stands on it. A question about plain values; recovery reads the files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum received {
	RECEIVED_UNFINISHED, /* of a replacement that never took effect, or one that a snapshot has overtaken */
	RECEIVED_STANDS,     /* it is the journal's last replacement and only missed getting its name */
	RECEIVED_IF_EQUAL    /* it is if its op and digest are those of the journal's last replacement */
};

/* replaced: whether the journal has a replacement; last_op: of the last one. newest_op: of the newest snapshot; 0: of what a
 * fresh replica is loaded with. */
enum received received_state(bool replaced, uint64_t last_op, uint64_t newest_op);
