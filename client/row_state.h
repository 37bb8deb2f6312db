/* What this program has to know of a replica's state as a row of status tells it. The wire has that state as a text only,
 * for people: it is read here, once, and every decision is made by the enum. */
#pragma once

#include "rpc/frontend.h"

enum row_state {
	ROW_OTHER,
	ROW_SERVING,
	ROW_SETTLING,
	ROW_FOLLOWING,
	ROW_ANSWERS_OTHERWISE /* down, but a process is there, and the text says what is to be done about it */
};

enum row_state row_state(const struct jh_replica_row *row);
