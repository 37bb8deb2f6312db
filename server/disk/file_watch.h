/* Whether the files that this replica writes are still those of their names: who deletes, moves, replaces or cuts them under
 * a running process takes away what it has acknowledged, and nothing that it does tells it. Looked up off the loop, for a
 * stat can wait as long as a disk. */
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
	/* On the loop, at most once: the files are not what was written (rule 14). directory_gone: the path leads elsewhere,
	 * and there is nothing to set aside. */
	void (*damaged)(void *context, const char *why, bool directory_gone);
	void *context;
};

struct file_watch *file_watch_new(const struct file_watch_options *options);
void file_watch_free(struct file_watch *watch);
/* Called every turn of the timer. snapshot_op: of the newest snapshot that this replica stands on. The journal is kept
 * until file_watch_end. */
void file_watch_look(struct file_watch *watch, const struct journal *journal, uint64_t snapshot_op);
/* The history was replaced: snapshots get other files. */
void file_watch_adopted(struct file_watch *watch);
/* The journal is about to go: no more looks. */
void file_watch_end(struct file_watch *watch);
