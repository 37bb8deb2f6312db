/* Reads a journal's segments in order and distinguishes an unfinished last write from damage (rule 14). Changes
 * nothing on disk, except in recover_cut. */
#pragma once

#include "server/disk/journal.h"
#include "server/disk/journal_segment.h"

/* The contents of a segment, for deciding when it may be removed. */
struct segment_info {
	uint64_t first_sequence;
	uint64_t op;    /* the highest op that any of its records makes or replaces */
	uint32_t bytes; /* up to the end of its last record */
	uint64_t device, inode, size; /* which file it is, and how long */
};

/* Takes one record into account: op_end is the last op of the log after it, infos[0 .. count - 1] the segments up to
 * its own. A STATE record makes everything before it obsolete with its own op. */
void segment_info_add(struct segment_info *infos, uint32_t count, uint32_t kind, uint64_t op_end);

struct recovered {
	struct segment_info *infos; /* the caller frees; count is recovery.segments */
	uint64_t salt;              /* of the last segment; */
	uint32_t tail;              /* the offset after its last record, */
	uint32_t dirty_end;         /* and after its last non-zero byte (tail: there is none) */
	void *meta;                 /* the last META record's payload, or NULL; the caller frees */
	uint32_t meta_size;
};

/* directory: its fd; path: its name, for messages. */
void recover_read(int directory, const char *path, journal_reader *reader, void *context,
		  struct journal_recovery *recovery, struct recovered *recovered);

/* Makes what was read of the last segment durable. After TAIL_CUT it also overwrites what was cut with zeros, so that
 * it can never reappear, and adds a CUT record after what was kept. Then the log ends like one that the writer ended
 * (tail, the record's sequence and the segment's bytes are advanced), and the next start knows of the cut. A crash at
 * any moment in between leaves a tail to cut. False with errno. */
bool recover_cut(int directory, const char *name, struct journal_recovery *recovery, struct recovered *recovered);
