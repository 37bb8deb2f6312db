/* One front-end a directory (rule 20), and who it is: DIR/lock has its process id, for the line that the next one gets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Locks the directory, and DIR/lock if that is there (*file, else -1). Changes nothing. False with one line in error. */
bool store_lock_take(int directory, const char *path, int *file, char *error, size_t error_size);

/* From here on the directory is written to: makes DIR/lock if need be, locks it, and notes this process in it. A full disk
 * prevents only the note. *file is the caller's to close; that gives its lock up. */
bool store_lock_note(int directory, const char *path, int *file, char *error, size_t error_size);
