/* A replica's data directory: its owner, its exclusive use by one process, and what was set aside in it. Nothing in it
 * is ever deleted here. Every failure is one line: what, where, what to do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct directory;

#define DIRECTORY_ERROR_SIZE 512
#define DIRECTORY_SET_ASIDE "set-aside"

enum directory_mode {
	DIRECTORY_OWN,  /* created when missing (0700, without parents), locked exclusively; fails when another process
			 * has it */
	DIRECTORY_CHECK /* for --check: read only, nothing is created; directory_in_use tells whether another process
			 * may be changing it */
};

/* NULL and one line in error. Nothing in the directory is changed. */
struct directory *directory_open(const char *path, enum directory_mode mode, char *error, size_t error_size);
/* OWN: call before the first write. Locks DIR/lock as well, and records this process in it for the error message of a
 * second start. False with one line in error. */
bool directory_begin(struct directory *directory, char *error, size_t error_size);
void directory_close(struct directory *directory);

const char *directory_path(const struct directory *directory);
/* For opening files in it with openat. */
int directory_fd(const struct directory *directory);

/* False, with one line in error, when its path leads nowhere or to another directory: it was deleted, moved or
 * replaced, or a file system was mounted or unmounted. May wait for the disk. */
bool directory_is_there(const struct directory *directory, char *error, size_t error_size);

/* CHECK only: the process that had it locked when it was opened; 0: none, -1: one that cannot be named. */
pid_t directory_in_use(const struct directory *directory);

/* Moves every regular file whose name begins with one of the prefixes to set-aside/<UTC time>-<reason>/, durably.
 * reason: one word for the name ("damaged"). Files go in the order of the prefixes, then of their names: name files
 * that are worthless without the rest first ("snapshot", then "journal-", oldest first), so that a crash half-way
 * never leaves what looks like a complete but older state. moved may be NULL. When there is nothing to move, nothing
 * is created, and that is no failure. */
bool directory_set_aside(const struct directory *directory, const char *const *prefixes, size_t prefixes_count,
			 const char *reason, uint32_t *moved, char *error, size_t error_size);

/* How many entries set-aside/ holds (rule 14: status shows it). */
uint32_t directory_set_aside_count(const struct directory *directory);
