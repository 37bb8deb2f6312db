#include "server/disk/staging.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/background.h"
#include "server/disk/snapshot.h"
#include "server/machine/machine.h"

#define RETRY_US 1000000u

/* One state being transferred. */
struct incoming {
	struct staging *staging;
	struct machine *machine;
	struct snapshot_writer *writer;  /* owned by the background thread once it has started */
	bool dropped;
	bool publish;
	uint64_t publish_op;
};

struct staging {
	struct staging_options options;
	struct incoming *incoming;       /* NULL: none */
	uint64_t failed;                 /* token of a piece that was not accepted; 0: none */
	uint64_t retry_us;
};

/* One piece on its way to the file. */
struct piece {
	struct incoming *incoming;
	uint64_t token;
	uint64_t next;
	bool complete;
	bool ok;
	struct snapshot_summary summary;
	char error[SNAPSHOT_ERROR_SIZE];
	size_t size;
	char records[];
};

struct staging *staging_new(const struct staging_options *options)
{
	struct staging *staging = calloc(1, sizeof *staging);

	must_allocate(staging);
	staging->options = *options;
	return staging;
}

static void taken(const struct staging *staging, uint64_t token, uint64_t next, bool complete)
{
	staging->options.taken(staging->options.context, token, true, next, complete);
}

/* RULE 13: from the start again, but not at once: the failure will most likely repeat. */
static void failed(struct staging *staging, uint64_t token)
{
	staging_drop(staging);
	staging->failed = token;
	staging->retry_us = rpc_clock_us() + RETRY_US;
}

void staging_tick(struct staging *staging)
{
	uint64_t token = staging->failed;

	if (token == 0 || rpc_clock_us() < staging->retry_us)
		return;
	staging->failed = 0;
	staging->options.taken(staging->options.context, token, false, 0, false);
}

/* --- on the background thread ------------------------------------------------------------------------------------- */

static void write_piece(void *context)
{
	struct piece *piece = context;
	struct incoming *incoming = piece->incoming;

	if (incoming->writer == NULL)
		incoming->writer = snapshot_begin(incoming->staging->options.directory, SNAPSHOT_INCOMING,
						  0, /* a push announces how many orders follow, not how many bytes */
						  piece->error, sizeof piece->error);
	/* A state without orders is a piece without records: the file has no chunk then. */
	piece->ok = incoming->writer != NULL &&
		    (piece->size == 0 || snapshot_append(incoming->writer, piece->records, piece->size, piece->error,
							 sizeof piece->error));
	if (piece->ok && piece->complete) {
		piece->ok = snapshot_finish(incoming->writer, &piece->summary, piece->error, sizeof piece->error);
		incoming->writer = NULL;
	}
}

static void dispose(void *context)
{
	struct incoming *incoming = context;
	const char *directory = incoming->staging->options.directory;
	char error[SNAPSHOT_ERROR_SIZE];

	snapshot_abandon(incoming->writer);
	if (incoming->publish) {
		if (!snapshot_publish(directory, SNAPSHOT_INCOMING, incoming->publish_op, error, sizeof error)) {
			/* The journal refers to it, and the next state to arrive would replace it: the next start
			 * gives it its name. */
			log_error("staging", "%s", error);
			log_flush();
			_exit(1);
		}
		snapshot_remove_below(directory, incoming->publish_op);
	}
	machine_free(incoming->machine);
}

/* On the loop, after the pieces that refer to it. */
static void disposed(void *context)
{
	free(context);
}

/* --- on the loop -------------------------------------------------------------------------------------------------- */

static void piece_written(void *context)
{
	struct piece *piece = context;
	struct staging *staging = piece->incoming->staging;

	if (!piece->incoming->dropped) {
		if (piece->ok) {
			taken(staging, piece->token, piece->next, piece->complete);
		} else {
			log_warn("staging", "%s: trying again", piece->error);
			failed(staging, piece->token);
		}
	}
	free(piece);
}

void staging_drop(struct staging *staging)
{
	struct incoming *incoming = staging->incoming;

	if (incoming == NULL)
		return;
	staging->incoming = NULL;
	incoming->dropped = true;
	background_run(staging->options.background, dispose, disposed, incoming);
}

static struct incoming *begin(struct staging *staging)
{
	struct incoming *incoming = calloc(1, sizeof *incoming);

	must_allocate(incoming);
	incoming->staging = staging;
	incoming->machine = machine_new(LIMIT_OPERATIONS(staging->options.orders_max) + MACHINE_LOADED_MAX);
	return incoming;
}

/* RULE 19: a primary sends no more than we announced that we can hold; one that does is told to start over later. */
static bool fits(const struct staging *staging, const struct staging_piece *piece)
{
	uint64_t placed = piece->total - piece->initial_count;

	if (placed <= LIMIT_OPERATIONS(staging->options.orders_max) && piece->initial_count <= MACHINE_LOADED_MAX)
		return true;
	log_warn("staging", "the primary sends %" PRIu64 " orders, more than --max-orders %" PRIu64
		 ", or too many that it was loaded with (%" PRIu64 "): start this replica with a higher limit",
		 placed, staging->options.orders_max, piece->initial_count);
	return false;
}

/* False with a line in the log. */
static bool decode(struct incoming *incoming, const struct staging_piece *piece, bool *complete)
{
	struct machine *machine = incoming->machine;
	const struct history *history = machine_history(machine);
	char error[256];

	if (!machine_decode(machine, piece->initial_count, piece->records, piece->size, error, sizeof error)) {
		log_warn("staging", "a piece of the primary's state is malformed: %s: trying again", error);
		return false;
	}
	*complete = history_count(history) >= piece->total;
	if (*complete && (history_op(history) != piece->op || !digest_equal(history_digest(history), piece->digest))) {
		log_warn("staging", "the primary's state does not add up to its digest op=%" PRIu64 ": trying again",
			 piece->op);
		return false;
	}
	if (!*complete && piece->size == 0) { /* would be requested again, without end */
		log_warn("staging", "a piece of the primary's state has no orders, and more are to come: trying again");
		return false;
	}
	return true;
}

static void write_in_background(struct incoming *incoming, uint64_t token, const struct staging_piece *from,
				bool complete)
{
	struct piece *piece = malloc(sizeof *piece + from->size);

	must_allocate(piece);
	*piece = (struct piece){.incoming = incoming, .token = token, .complete = complete,
				.next = history_count(machine_history(incoming->machine)), .size = from->size,
				.summary = {.op = from->op, .initial_count = from->initial_count, .digest = from->digest}};
	if (from->size > 0)
		memcpy(piece->records, from->records, from->size);
	background_run(incoming->staging->options.background, write_piece, piece_written, piece);
}

void staging_take(struct staging *staging, uint64_t token, const struct staging_piece *piece)
{
	bool complete;

	if (!fits(staging, piece)) {
		failed(staging, token);
		return;
	}
	if (piece->first == 0) {
		staging_drop(staging);
		staging->incoming = begin(staging);
	}

	struct incoming *incoming = staging->incoming;

	if (incoming == NULL || history_count(machine_history(incoming->machine)) != piece->first)
		taken(staging, token, incoming == NULL ? 0 : history_count(machine_history(incoming->machine)), false);
	else if (!decode(incoming, piece, &complete))
		failed(staging, token);
	else
		write_in_background(incoming, token, piece, complete);
}

struct machine *staging_adopt(struct staging *staging, uint64_t op)
{
	struct incoming *incoming = staging->incoming;

	must(incoming != NULL);
	must(machine_op(incoming->machine) == op);

	struct machine *machine = incoming->machine;

	incoming->machine = NULL;
	incoming->publish = true;
	incoming->publish_op = op;
	staging_drop(staging);
	return machine;
}

void staging_free(struct staging *staging)
{
	free(staging);
}
