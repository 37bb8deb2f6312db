/* Shared by a start (recovery.c) and --check (check.c), which reads the same without changing anything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/disk/recovery.h"
#include "server/replica/replica.h"

struct recovery {
	struct recovery_options options;
	const char *data_dir;
	struct replica *replica;
	struct replica_actions actions;
	struct machine **machine;
	struct recovered *found;
	bool has_meta;
	bool cut;                      /* the journal reports a cut, and no META of the core since (RULE 14) */
	struct replica_meta meta;
	uint32_t program_base;
	bool journal_damaged;          /* when looking for a received state: the last replacement is unknown */
	bool replaced;                 /* the journal has a replacement; of the last one: */
	uint64_t last_state_op;
	struct digest last_state_digest;
	char error[512];               /* damage, as one line */
};

/* Ends the process with one line when the files have a format that this program does not speak, or the cluster uses one. */
void recovery_refuse_other_formats(const struct directory *directory);
/* A received state counts only if the journal's last replacement is of its op; then it lacks only its name. */
bool recovery_find_received(struct recovery *recovery, const char *directory);
/* A journal and a snapshot always exist together, the snapshot first; only a process killed during its very first
 * start leaves the first snapshot alone. False: damage, and *machine is an empty one from which nothing is served. */
bool recovery_load_state(struct recovery *recovery, const char *received);
/* Events from the snapshot and the directory, before any record. */
void recovery_begin_core(struct recovery *recovery);
/* Opens the journal, or only reads it (open is NULL): for --check, and when the snapshot is already damaged, because
 * damaged files are not written to (RULE 14). */
bool recovery_read_journal(struct recovery *recovery, const struct journal_options *open,
			   struct journal_recovery *read);
/* RULE 14: the first op that may have been cut off; 0: none that META does not record. */
uint64_t recovery_tail_cut(const struct recovery *recovery, const struct journal_recovery *read);
/* Passes one event to the core, and applies to the history what the core applies. */
void recovery_hand(struct recovery *recovery, struct replica_event *event);
