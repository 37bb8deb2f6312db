/* What a start (recovery.c) and --check (check.c), which does the same and changes nothing, share, and nobody else. */
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
	bool cut;                      /* the journal's own word of it, and no META of the core since (RULE 14) */
	struct replica_meta meta;
	uint32_t program_base;
	bool journal_damaged;          /* when a received state was looked for: what the journal said of it is not known */
	bool replaced;                 /* the journal has a replacement; the last one: */
	uint64_t last_state_op;
	struct digest last_state_digest;
	char error[512];               /* damage, as one line */
};

/* Ends the process with one line when the files are of another format. */
void recovery_refuse_other_formats(const struct directory *directory);
/* A received state counts only if the journal's last replacement is of its op; then it only missed getting its name. */
bool recovery_find_received(struct recovery *recovery, const char *directory);
/* A journal and a snapshot are always there together, the snapshot first; only a process that was killed in its very
 * first start leaves the first snapshot alone. False: damage, and an empty history to stand on, of which nothing is
 * served. */
bool recovery_load_state(struct recovery *recovery, const char *received);
/* What the state and the directory say, before any record. */
void recovery_begin_core(struct recovery *recovery);
/* The journal, opened, or only read (open is NULL): by --check, and when the snapshot is damaged already, for damaged
 * files are not written to (RULE 14). */
bool recovery_read_journal(struct recovery *recovery, const struct journal_options *open,
			   struct journal_recovery *read);
/* RULE 14: the first op that may have been cut off; 0: none that META does not tell of. */
uint64_t recovery_tail_cut(const struct recovery *recovery, const struct journal_recovery *read);
/* The core takes one event, and the history what it applies. */
void recovery_hand(struct recovery *recovery, struct replica_event *event);
