/* The allowed contents of a new data directory before a daemon makes its first file there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* ours: how the names of the caller's own files begin, NULL at the end. True when there is one of these, or set-aside,
 * or nothing but what anybody may find in an empty directory (a lock, lost+found). Else it belongs to something else,
 * and the path was mistyped: false with one line in error. */
bool own_files_only(int directory, const char *path, const char *const *ours, char *error, size_t error_size);
