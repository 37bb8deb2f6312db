/* What a front-end that the tests play makes of a replica's verdict, as frontend/client_requests.c does of the answer on the
 * wire. */
#pragma once

#include "frontend/router/router.h"
#include "server/replica/replica.h"

static inline enum router_reply reply_of_verdict(enum replica_verdict verdict)
{
	switch (verdict) {
	case VERDICT_DECIDED:
		return ROUTER_REPLY_DONE;
	case VERDICT_MOVED:
	case VERDICT_BUSY:
		return ROUTER_REPLY_AGAIN;
	case VERDICT_FULL:
	case VERDICT_DISK_FULL:
	case VERDICT_TOO_FEW:
		return ROUTER_REPLY_UNAVAILABLE;
	default:
		return ROUTER_REPLY_REFUSED;
	}
}

/* The same of a read. */
static inline enum router_reply reply_of_read(bool moved)
{
	return moved ? ROUTER_REPLY_AGAIN : ROUTER_REPLY_DONE;
}
