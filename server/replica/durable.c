#include "server/replica/durable.h"

#include "server/replica/commit.h"
#include "server/replica/fold.h"
#include "server/replica/joint.h"
#include "server/replica/output.h"
#include "server/replica/recv_push.h"
#include "server/replica/send_push.h"
#include "server/replica/view_change.h"
#include "server/replica/writes.h"

void replica_durable(struct replica *r, uint64_t ticket)
{
	bool view_was_durable = replica_view_durable(r);

	replica_writes_completed(r, ticket);
	if (!view_was_durable && replica_view_durable(r)) {
		replica_answer_installs(r);
		replica_news(r);
	}
	if (r->bind.token != 0 && r->bind.ticket <= r->durable_ticket) { /* RULE 20 */
		r->durable_bound = r->bound;
		replica_answer_bind(r, true);
		r->bind.token = 0;
	}
	replica_joint_durable(r);
	replica_fold_durable(r);
	if (r->commit_heard > r->commit)
		replica_commit_to(r, r->commit_heard);
	replica_advance(r);
	replica_answer_acks(r);
	replica_write_log(r);
	replica_push_all(r);
	replica_stop_check(r);
}
