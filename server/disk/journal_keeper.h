/* The journal's second thread. It prepares the next segment before it is needed and removes old ones, slowly, so that
 * neither delays a journal write. All functions are thread-safe. */
#pragma once

#include "server/disk/journal_recover.h"

struct journal_keeper;

/* Takes ownership of infos (count of them, the last being the segment in use). directory and path are borrowed for its
 * lifetime. */
struct journal_keeper *keeper_start(int directory, const char *path, struct uuid uuid, struct segment_info *infos,
				    uint32_t count);
/* Ends the thread, discards a prepared but unused segment, frees. */
void keeper_stop(struct journal_keeper *keeper);

/* Starts preparing the next segment, of this size. Further calls change nothing until it has been taken. */
void keeper_prepare(struct journal_keeper *keeper, uint32_t size);

enum keeper_taken {
	KEEPER_TAKEN,
	KEEPER_GIVEN_UP, /* closing, and the next segment cannot be made */
	KEEPER_BROKEN    /* the directory cannot be written, and not for lack of space: errno */
};

/* Waits for the next segment (cutting its zeroing short), gives it its name durably and returns it. */
enum keeper_taken keeper_take(struct journal_keeper *keeper, uint64_t first_sequence, uint32_t size,
			      struct segment *segment);
/* From now on keeper_take does not wait for space. */
void keeper_closing(struct journal_keeper *keeper);

/* errno of the last attempt to make the next segment; 0: it did not fail. */
int keeper_failing(const struct journal_keeper *keeper);
/* The same for an attempt that began after the first call of this: until that has ended, the cause may be gone. */
bool keeper_fails_still(struct journal_keeper *keeper);
/* Does that errno mean lack of space, so that freeing some is the remedy? */
bool keeper_is_space(int error);

/* Records what was just written to the segment in use; see segment_info_add. */
void keeper_note(struct journal_keeper *keeper, uint32_t kind, uint64_t op_end);
void keeper_note_end(struct journal_keeper *keeper, uint32_t offset);

/* A copy of the list of segments: the caller frees *infos. Returns its count. */
uint32_t keeper_files(struct journal_keeper *keeper, struct segment_info **infos);

void keeper_trim(struct journal_keeper *keeper, uint64_t op);
void keeper_sizes(const struct journal_keeper *keeper, uint64_t *bytes, uint64_t *segments);

/* fsync of a directory; false with errno. */
bool keeper_sync_directory(int directory);
