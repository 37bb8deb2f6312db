/* A start: reads the newest good snapshot, then the journal, record by record, into the core. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/uuid.h"
#include "server/disk/directory.h"
#include "server/disk/journal.h"

struct event_base;
struct machine;
struct replica;

struct recovery_options {
	uint32_t id;
	uint32_t program_base;
	const char *initial_orders;    /* a file; NULL: compiled in */
	uint64_t orders_max;
	uint32_t segment_bytes;        /* of the journal; 0: its default */
	struct event_base *base;
	/* For the journal, see journal.h. */
	void (*durable)(void *context, uint64_t ticket);
	void (*fatal)(void *context, const char *line);
	void *context;
};

struct recovered {
	struct journal *journal;       /* NULL: damage */
	struct uuid uuid;              /* of the directory, drawn when it has none */
	int64_t last_time_us;          /* of the newest order in the log (rule 16) */
	uint64_t snapshot_op;          /* of the snapshot that it started from */
	uint64_t tail_cut;             /* the first op that may have been cut off without META knowing; 0: none */
	uint64_t records;
	char damage[JOURNAL_ERROR_SIZE]; /* one line; empty: none */
};

/* Ends the process with one line, for errors that the operator must resolve. */
_Noreturn void recovery_refuse(const char *line);
/* Reads the directory, which we own, into *machine and the core: all events of recovery but START. Errors other than
 * damage end the process with one line. The core's service may read *machine meanwhile. */
void recovery_run(const struct recovery_options *options, struct directory *directory, struct replica *replica,
		  struct machine **machine, struct recovered *recovered);
/* RULE 14: everything goes to DIR/set-aside; the next start draws a new uuid. */
bool recovery_set_aside(struct directory *directory, const char *reason, char *error, size_t error_size);
