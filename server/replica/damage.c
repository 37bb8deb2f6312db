#include "server/replica/damage.h"

#include <stdio.h>

#include "server/replica/output.h"
#include "server/replica/role.h"
#include "server/replica/submit.h"

void replica_damaged(struct replica *r, const char *why)
{
	if (r->state == STATE_DAMAGED)
		return;
	replica_say(r, LOG_LEVEL_ERROR, "damaged, serving nothing: %s", why);
	snprintf(r->detail, sizeof r->detail, "%s", why);
	replica_drop_requests(r);
	replica_become(r, r->role, STATE_DAMAGED);
	replica_news(r);
}
