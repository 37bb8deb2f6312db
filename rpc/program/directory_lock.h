/* Ensures that a data directory belongs to one process alone, and is still the one that its path leads to. The lock is
 * on the directory itself and not only on a file in it: a file that a cleaner can remove protects nothing. When several
 * hosts share the directory (NFS), that lock is known to one of them, and the one on DIR/lock to all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DIRECTORY_LOCK_NAME "lock"

struct directory_lock {
	int directory;       /* open as long as it is locked: the kernel's lock goes with the process */
	const char *path;    /* borrowed; for messages */
	int file;            /* DIR/lock; -1: there is none */
};

/* Locks the directory, and DIR/lock when that exists; changes nothing in it. False with one line in error; call
 * release even then. */
bool directory_lock_take(struct directory_lock *lock, int directory, const char *path, char *error, size_t error_size);
/* From here on the directory is written to: locks DIR/lock, made when missing, and writes this process id into it, for
 * the error message of the next one. On a full disk there may be no such file. False with one line in error. */
bool directory_lock_note(struct directory_lock *lock, const char *component, char *error, size_t error_size);
/* Closes DIR/lock; the directory is the caller's. */
void directory_lock_release(struct directory_lock *lock);

/* The process that has it locked now; 0: none, -1: one that cannot be named. Locks nothing. */
pid_t directory_lock_holder(int directory);

/* What happened to the directory that was opened by that path: "deleted or moved", "replaced by another one"; NULL:
 * the path leads to it, or that is unknown. May wait for the disk. */
const char *directory_lock_astray(int directory, const char *path);
