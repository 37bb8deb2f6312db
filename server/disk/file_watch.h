/* Checks that the files that this replica writes still exist under their names. Deleting, moving, replacing or
 * truncating them under a running process removes what it has acknowledged, and no operation of its own would notice.
 * The checks run off the event loop, because a stat can wait as long as a disk. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct background;
struct directory;
struct file_watch;
struct journal;

struct file_watch_options {
	const struct directory *directory;
	struct background *background;  /* ends before the watch is freed */
	/* On the loop, at most once: the files are not what was written (rule 14). directory_gone: the path leads
	 * elsewhere, so nothing can be set aside. */
	void (*damaged)(void *context, const char *why, bool directory_gone);
	void *context;
};

struct file_watch *file_watch_new(const struct file_watch_options *options);
void file_watch_free(struct file_watch *watch);
/* Called at every tick of the timer. snapshot_op: of the newest snapshot that this replica depends on. The journal is
 * kept until file_watch_end. */
void file_watch_look(struct file_watch *watch, const struct journal *journal, uint64_t snapshot_op);
/* The history was replaced: snapshots get other files. */
void file_watch_adopted(struct file_watch *watch);
/* The journal is about to be freed: no more checks. */
void file_watch_end(struct file_watch *watch);
