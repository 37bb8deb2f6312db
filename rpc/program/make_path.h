/* Makes a data directory that does not exist yet, with the directories above it, as `mkdir -p` does, and durably: its
 * contents must not be lost with a name that was never written. It refuses to touch what exists. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Each directory that it makes is for its owner alone, and on disk (fsync of its parent) before anything is made in
 * it. False: error names in one line the part of the path that failed, and why; parents already made stay. */
bool make_path(const char *path, char *error, size_t error_size);
