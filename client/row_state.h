/* The states of a replica, as a row of status gives them, that this program must distinguish. On the wire the state is
 * only a text for people: it is parsed here, once, and every decision uses the enum. */
#pragma once

#include "rpc/frontend.h"

enum row_state {
	ROW_OTHER,
	ROW_SERVING,
	ROW_SETTLING,
	ROW_FOLLOWING,
	ROW_ANSWERS_OTHERWISE /* down, but a process is there, and the text says what to do about it */
};

enum row_state row_state(const struct jh_replica_row *row);
