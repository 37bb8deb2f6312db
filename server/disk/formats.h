/* The formats of the files in a data directory, checked before any of them is read or written. Files of another
 * version are neither damage nor an empty directory, and stay unchanged (docs/formats.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True when no segment and no snapshot in the directory claims another format than this program reads. Only the header
 * counts, whatever else is wrong with a file. Otherwise one line in error: which file, which format, what to do.
 * directory: its fd; path: its name, for the message. Changes nothing. */
bool formats_known(int directory, const char *path, char *error, size_t error_size);
