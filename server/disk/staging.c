/* A state that comes from the primary, piece by piece: decoded into a history beside the live one, and written to a
 * file beside the snapshots. It becomes the live one when the core says so, never before. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/clock.h"
#include "server/background.h"
#include "server/node.h"
#include "server/disk/snapshot.h"

/* Beyond --max-orders: the loaded ones of another --initial-orders. */
#define ROOM_FOR_LOADED 100000
#define RETRY_US 1000000u

struct staging {
	struct node *node;
	const char *directory;
	struct orders *orders;
	struct snapshot_writer *writer;  /* the background thread's, once it has begun */
	bool dropped;
	bool publish;
	uint64_t publish_op;
};

/* One piece on its way to the file. */
struct piece {
	struct staging *staging;
	uint64_t token;
	uint64_t next;
	bool complete;
	bool ok;
	struct snapshot_summary summary;
	uint64_t bytes_expected;
	char error[SNAPSHOT_ERROR_SIZE];
	size_t size;
	char records[];
};

static void taken(struct node *node, uint64_t token, uint64_t next, bool complete)
{
	node_step(node, &(struct replica_event){.kind = REPLICA_STAGED, .token = token, .ok = true, .next = next,
						.complete = complete});
}

/* RULE 13: from the start again, but not at once: what failed will most likely fail again. */
static void failed(struct node *node, uint64_t token)
{
	staging_drop(node);
	node->staging_failed = token;
	node->staging_retry_us = rpc_clock_us() + RETRY_US;
}

void staging_tick(struct node *node)
{
	uint64_t token = node->staging_failed;

	if (token == 0 || rpc_clock_us() < node->staging_retry_us)
		return;
	node->staging_failed = 0;
	node_step(node, &(struct replica_event){.kind = REPLICA_STAGED, .token = token});
}

/* --- on the background thread ------------------------------------------------------------------------------------- */

static void write_piece(void *context)
{
	struct piece *piece = context;
	struct staging *staging = piece->staging;

	if (staging->writer == NULL)
		staging->writer = snapshot_begin(staging->directory, SNAPSHOT_INCOMING, piece->bytes_expected,
						 piece->error, sizeof piece->error);
	/* A state without orders is a piece without records: the file has no chunk then. */
	piece->ok = staging->writer != NULL &&
		    (piece->size == 0 || snapshot_append(staging->writer, piece->records, piece->size, piece->error,
							 sizeof piece->error));
	if (piece->ok && piece->complete) {
		piece->ok = snapshot_finish(staging->writer, &piece->summary, piece->error, sizeof piece->error);
		staging->writer = NULL;
	}
}

static void dispose(void *context)
{
	struct staging *staging = context;
	char error[SNAPSHOT_ERROR_SIZE];

	snapshot_abandon(staging->writer);
	if (staging->publish) {
		if (!snapshot_publish(staging->directory, SNAPSHOT_INCOMING, staging->publish_op, error,
				      sizeof error)) {
			/* The journal refers to it, and the next state to come would take its place: the next start
			 * names it. */
			log_error("staging", "%s", error);
			log_flush();
			_exit(1);
		}
		snapshot_remove_below(staging->directory, staging->publish_op);
	}
	orders_free(staging->orders);
}

/* On the loop, behind the pieces that refer to it. */
static void disposed(void *context)
{
	free(context);
}

/* --- on the loop -------------------------------------------------------------------------------------------------- */

static void piece_written(void *context)
{
	struct piece *piece = context;
	struct staging *staging = piece->staging;

	if (!staging->dropped) {
		struct node *node = staging->node;

		if (piece->ok) {
			taken(node, piece->token, piece->next, piece->complete);
			node_flush(node);
		} else {
			log_warn("staging", "%s: trying again", piece->error);
			failed(node, piece->token);
		}
	}
	free(piece);
}

void staging_drop(struct node *node)
{
	struct staging *staging = node->staging;

	if (staging == NULL)
		return;
	node->staging = NULL;
	staging->dropped = true;
	background_run(node->receiver, dispose, disposed, staging);
}

static struct staging *begin(struct node *node)
{
	struct staging *staging = calloc(1, sizeof *staging);

	must_allocate(staging);
	staging->node = node;
	staging->directory = node->options.data_dir;
	staging->orders = orders_new(node->options.orders_max + ROOM_FOR_LOADED);
	return staging;
}

/* RULE 19: a primary sends no more than we announce that we can hold; whoever does is told to begin again later. */
static bool fits(const struct node *node, const jh_state_chunk *wire)
{
	if (wire->total - wire->initial_count <= node->options.orders_max && wire->initial_count <= ROOM_FOR_LOADED)
		return true;
	log_warn("staging", "the primary sends %" PRIu64 " orders, more than --max-orders %" PRIu64
		 ", or too many that it was loaded with (%" PRIu64 "): start this replica with a higher limit",
		 wire->total - wire->initial_count, node->options.orders_max, wire->initial_count);
	return false;
}

/* Decodes the piece; false with a line in the log. */
static bool decode(struct staging *staging, const jh_state_chunk *wire, uint64_t op, struct digest digest,
		   bool *complete)
{
	char error[256];

	if (!orders_decode(staging->orders, wire->initial_count, wire->records.records_val, wire->records.records_len,
			   error, sizeof error)) {
		log_warn("staging", "a piece of the primary's state is malformed: %s: trying again", error);
		return false;
	}
	*complete = orders_count(staging->orders) >= wire->total;
	if (!*complete && wire->records.records_len == 0) { /* would be asked for again, without end */
		log_warn("staging", "a piece of the primary's state has no orders, and more are to come: trying again");
		return false;
	}
	if (*complete && (orders_op(staging->orders) != op || !digest_equal(orders_digest(staging->orders), digest))) {
		log_warn("staging", "the primary's state does not add up to its digest op=%" PRIu64 ": trying again",
			 op);
		return false;
	}
	return true;
}

void staging_take(struct node *node, uint64_t token, uint64_t op, struct digest digest)
{
	const jh_state_chunk *wire = node->piece;
	bool complete;

	must(wire != NULL);
	if (!fits(node, wire)) {
		failed(node, token);
		return;
	}
	if (wire->first == 0) {
		staging_drop(node);
		node->staging = begin(node);
	}

	struct staging *staging = node->staging;

	if (staging == NULL || orders_count(staging->orders) != wire->first) {
		taken(node, token, staging == NULL ? 0 : orders_count(staging->orders), false);
		return;
	}
	if (!decode(staging, wire, op, digest, &complete)) {
		failed(node, token);
		return;
	}

	struct piece *piece = malloc(sizeof *piece + wire->records.records_len);

	must_allocate(piece);
	*piece = (struct piece){.staging = staging, .token = token, .next = orders_count(staging->orders),
				.complete = complete, .size = wire->records.records_len,
				.summary = {.op = op, .initial_count = wire->initial_count, .digest = digest}};
	if (wire->records.records_len > 0)
		memcpy(piece->records, wire->records.records_val, wire->records.records_len);
	background_run(node->receiver, write_piece, piece_written, piece);
}

/* Whoever gave this replica other --initial-orders than the cluster began with learns which of them count. */
static void tell_whose_initial_orders(const struct orders *ours, const struct orders *cluster)
{
	if (orders_op(ours) > 0 || orders_same_initial(ours, cluster))
		return;
	log_warn("staging", "the cluster began with other initial orders (%" PRIu64 ") than this replica was loaded with (%" PRIu64
		 "): the cluster's count, and replace them", orders_initial_count(cluster), orders_initial_count(ours));
}

/* The replacement is durable: the live history changes in one step. */
void staging_adopt(struct node *node, uint64_t op)
{
	struct staging *staging = node->staging;

	must(staging != NULL);
	must(orders_op(staging->orders) == op);
	tell_whose_initial_orders(node->orders, staging->orders);
	snapshotter_release(node->snapshotter, node->orders);
	node->orders = staging->orders;
	node->snapshot_op = op;
	node->files_seen.adoptions++;
	staging->orders = NULL;
	staging->publish = true;
	staging->publish_op = op;
	staging_drop(node);
}
