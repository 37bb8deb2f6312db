/* Operations and what becomes of them, by our own reckoning: the committed sequence is folded here once more, by nothing that
 * a replica uses, and what replicas fold and answer is compared with it. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/checker.h"

/* --- operations --------------------------------------------------------------------------------------------------- */

uint32_t body_new(struct world *w, const struct asking *asking)
{
	uint64_t room = w->bodies_room;

	w->bodies = world_grow(w->bodies, w->bodies_count, &room, sizeof *w->bodies);
	w->bodies_room = (uint32_t)room;
	w->bodies[w->bodies_count] =
		(struct body){.client = asking->client, .request = asking->request, .content = asking->content};
	return w->bodies_count++;
}

/* Two executions of one request would have different bodies: the number of the body is in it. */
uint32_t body_bytes(const struct world *w, uint32_t number, uint8_t bytes[static OPERATION_BYTES])
{
	const struct body *body = &w->bodies[number];

	return operation_bytes(number, client_uuid(body->client), body->request, body->content, bytes);
}

uint32_t body_of(struct world *w, const uint8_t *bytes, uint32_t size)
{
	uint8_t expected[OPERATION_BYTES];
	uint32_t number = operation_number(bytes);

	must(number < w->bodies_count);
	if (body_bytes(w, number, expected) != size || memcmp(expected, bytes, size) != 0)
		world_fail(w, 6, "the body of operation %" PRIu32 " changed on its way", number);
	return number;
}

struct uuid client_uuid(uint32_t index)
{
	struct uuid uuid = {.bytes = {0xC1}};

	memcpy(uuid.bytes + 4, &index, sizeof index);
	return uuid;
}

/* --- what the log decides ----------------------------------------------------------------------------------------- */

const struct decided *check_decided(const struct client *client, uint64_t request)
{
	for (uint32_t i = client->decided_count; i > 0; i--) {
		if (client->decided[i - 1].request == request)
			return &client->decided[i - 1];
	}
	return NULL;
}

bool check_done_with(const struct client *client, uint64_t request, uint64_t content)
{
	const struct decided *decided = check_decided(client, request);

	return decided != NULL && decided->became == BECAME_DONE && decided->content == content;
}

/* RULE 12: a client that was told so may rely on it, whatever calls are still on their way. */
static void check_executed(struct world *w, const struct body *body)
{
	const struct client *client = &w->clients[body->client];

	for (uint32_t i = 0; i < client->never_count; i++) {
		const struct never *never = &client->never[i];

		if (never->request == body->request && (never->any || never->content == body->content))
			world_fail(w, 12, "request %" PRIu64 " of client %" PRIu32 " executed after it was refused",
				   body->request, body->client);
	}
	if (body->did_nothing)
		world_fail(w, 12, "request %" PRIu64 " of client %" PRIu32 " executed by a call that was told that it did nothing",
			   body->request, body->client);
}

/* Our reckoning: what it becomes, after the counters of the op before. */
static struct truth reckon(const struct world *w, uint64_t op, const struct body *body)
{
	struct truth truth = {.became = BECAME_DONE};
	int64_t *counter = &truth.counters[wanted_counter(body->content)];

	if (op > 1)
		memcpy(truth.counters, w->truth[op - 2].counters, sizeof truth.counters);
	switch (wanted_kind(body->content)) {
	case WANTED_VOID:
		truth.became = BECAME_VOID;
		break;
	case WANTED_ORDER:
		break;
	case WANTED_RESTOCK:
		*counter += wanted_units(body->content);
		break;
	case WANTED_TAKE:
	case WANTED_GRAB:
		if (*counter == 0)
			truth.became = BECAME_REFUSED;
		else
			--*counter;
		break;
	}
	return truth;
}

/* The first to apply op has body there. */
void check_decides(struct world *w, uint64_t op, uint32_t number)
{
	const struct body *body = &w->bodies[number];
	struct client *client = &w->clients[body->client];
	const struct decided *last = client->decided_count > 0 ? &client->decided[client->decided_count - 1] : NULL;
	uint64_t room = client->decided_room;

	if (last != NULL && last->request >= body->request)
		world_fail(w, 11, "request %" PRIu64 " of client %" PRIu32 " is executed %s: op %" PRIu64 ", after request %" PRIu64
			   " at op %" PRIu64, body->request, body->client,
			   check_decided(client, body->request) != NULL ? "twice" : "behind its next one", op, last->request,
			   last->op);
	w->truth = world_grow(w->truth, op - 1, &w->truth_room, sizeof *w->truth);
	w->truth[op - 1] = reckon(w, op, body);
	if (w->truth[op - 1].became == BECAME_DONE)
		check_executed(w, body);
	w->counts->kept += w->truth[op - 1].became == BECAME_REFUSED;
	w->counts->voids += w->truth[op - 1].became == BECAME_VOID;
	w->counts->voids_of_full += w->truth[op - 1].became == BECAME_VOID && op > w->profile.orders_max;
	client->decided = world_grow(client->decided, client->decided_count, &room, sizeof *client->decided);
	client->decided_room = (uint32_t)room;
	client->decided[client->decided_count++] = (struct decided){.request = body->request, .content = body->content,
								    .op = op, .became = w->truth[op - 1].became};
}

/* RULE 11: a replica has folded op into its state: to what we reckon, and to what every other one has. */
void check_folded(struct world *w, const struct node *node, uint64_t op)
{
	struct truth *truth = &w->truth[op - 1];
	enum became became = state_became(node->machine, op);

	must(op <= w->committed_count);
	if (became != truth->became)
		world_fail(w, 11, "op %" PRIu64 " became %d at replica %" PRIu32 ", where it becomes %d", op, (int)became, node->id,
			   (int)truth->became);
	for (uint32_t i = 0; i < COUNTERS; i++) {
		if (state_counter(node->machine, i) != truth->counters[i])
			world_fail(w, 11, "counter %" PRIu32 " is %" PRId64 " at replica %" PRIu32 ", at op %" PRIu64 " it is %" PRId64,
				   i, state_counter(node->machine, i), node->id, op, truth->counters[i]);
	}
	if (truth->folded && !digest_equal(truth->fold, state_fold(node->machine)))
		world_fail(w, 11, "replica %" PRIu32 " has folded op %" PRIu64 " to another state", node->id, op);
	truth->folded = true;
	truth->fold = state_fold(node->machine);
}

/* --- what a replica answers --------------------------------------------------------------------------------------- */

/* RULE 12: what rests on an entry is as that entry says, and it is applied. */
static void check_rests(struct world *w, const struct node *node, const struct asking *asking,
			const struct replica_answer *answer)
{
	const struct client *client = &w->clients[asking->client];
	const struct decided *decided = check_decided(client, asking->request);
	const struct body *body = &w->bodies[w->committed[answer->op - 1]];
	bool good = decided != NULL && decided->op == answer->op;

	if (answer->verdict == VERDICT_DECIDED)
		good = good && decided->content == asking->content;
	else if (answer->verdict == VERDICT_REUSED)
		good = good && decided->content != asking->content;
	else
		good = decided == NULL && body->client == asking->client && body->request > asking->request;
	if (!good)
		world_fail(w, answer->verdict == VERDICT_DECIDED ? 11 : 12,
			   "replica %" PRIu32 " answers request %" PRIu64 " of client %" PRIu32 " by op %" PRIu64
			   ", which is request %" PRIu64 " of client %" PRIu32, node->id, asking->request, asking->client, answer->op,
			   body->request, body->client);
}

/* RULE 1, by the disks: alive or not, every member of the view holds what is answered. */
static void check_held(struct world *w, const struct node *node, uint64_t op)
{
	const struct view *view = replica_view(node->core);

	for (uint32_t i = 0; i < view->members_count; i++) {
		const struct node *member = check_disk_of(w, &view->members[i]);

		if (member == NULL)
			continue;
		if (disk_last(&member->disk) < op || disk_body(&member->disk, op) != w->committed[op - 1])
			world_fail(w, 1,
				   "replica %" PRIu32 " answers op %" PRIu64 " in view %" PRIu64
				   ", which is not on member %" PRIu32 "'s disk (it ends at op %" PRIu64 ")",
				   node->id, op, view->number, member->id, disk_last(&member->disk));
	}
}

static void check_by_the_log(struct world *w, const struct node *node, const struct call *call,
			     const struct replica_answer *answer)
{
	if (call->asking.view != replica_view(node->core)->number)
		world_fail(w, 4, "replica %" PRIu32 " answers in view %" PRIu64 " what was asked in view %" PRIu64,
			   node->id, replica_view(node->core)->number, call->asking.view);
	if (answer->op == 0 || answer->op > w->committed_count)
		world_fail(w, answer->verdict == VERDICT_DECIDED ? 1 : 12,
			   "replica %" PRIu32 " answers op %" PRIu64 " that nobody applied", node->id, answer->op);
	check_rests(w, node, &call->asking, answer);
	check_held(w, node, answer->op);
}

/* RULE 8, 12: the applied state that is named did refuse it, a client has not been shown more, and the log had not decided it. */
static void check_not_admitted(struct world *w, const struct node *node, const struct call *call,
			       const struct replica_answer *answer)
{
	const struct asking *asking = &call->asking;
	const struct decided *decided = check_decided(&w->clients[asking->client], asking->request);

	if (decided != NULL && decided->op <= answer->applied)
		world_fail(w, 12, "replica %" PRIu32 " does not admit request %" PRIu64 " of client %" PRIu32 ", which op %" PRIu64
			   " has decided", node->id, asking->request, asking->client, decided->op);
	if (answer->applied < asking->floor)
		world_fail(w, 8, "replica %" PRIu32 " refuses by op %" PRIu64 ", op %" PRIu64 " has been shown", node->id,
			   answer->applied, asking->floor);
	if (call->asked_op != answer->applied ||
	    (answer->applied > 0 && w->truth[answer->applied - 1].counters[wanted_counter(asking->content)] > 0))
		world_fail(w, 8, "replica %" PRIu32 " refuses request %" PRIu64 " of client %" PRIu32 " by the state as of op %" PRIu64
			   ", says op %" PRIu64 ", and there was one left", node->id, asking->request, asking->client, call->asked_op,
			   answer->applied);
}

/* RULE 19: what is in validation takes nothing of the room that is there for those that end a doubt. */
static void check_full(struct world *w, const struct node *node, const struct asking *asking, uint64_t limit)
{
	if (asking->content == CONTENT_VOID && replica_last_op(node->core) < limit)
		world_fail(w, 19, "replica %" PRIu32 " has no room for a VOID after op %" PRIu64 ", %" PRIu64 " fit", node->id,
			   replica_last_op(node->core), limit);
}

void check_answered(struct world *w, const struct node *node, const struct call *call,
		    const struct replica_answer *answer)
{
	if (answer->applied != node->live.count)
		world_fail(w, 8, "replica %" PRIu32 " answers as of op %" PRIu64 ", it has applied op %" PRIu32, node->id, answer->applied,
			   node->live.count);
	switch (answer->verdict) {
	case VERDICT_DECIDED:
	case VERDICT_REUSED:
	case VERDICT_PASSED:
		check_by_the_log(w, node, call, answer);
		break;
	case VERDICT_NOT_ADMITTED:
		check_not_admitted(w, node, call, answer);
		break;
	case VERDICT_FULL:
		check_full(w, node, &call->asking, answer->limit);
		break;
	case VERDICT_MOVED:
	case VERDICT_DECLINED:
	case VERDICT_DISK_FULL:
	case VERDICT_TOO_FEW:
	case VERDICT_BUSY:
		break;
	}
}
