#include "server/disk/received.h"

enum received received_state(bool replaced, uint64_t last_op, uint64_t newest_op)
{
	if (!replaced || last_op < newest_op)
		return RECEIVED_UNFINISHED;
	/* At the same op, what a fresh replica was loaded with (op 0) is replaced by the primary's; or the replacement has its
	 * name since, and the file is what came later of another one. */
	return last_op > newest_op ? RECEIVED_STANDS : RECEIVED_IF_EQUAL;
}
