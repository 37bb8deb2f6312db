/* Which format the files of a data directory have, asked before anything in it is read or written: what another
 * version wrote is neither damage nor an empty directory, and stays as it is (docs/formats.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True when no segment and no snapshot in the directory claims another format than this program reads, by what its
 * header says and whatever else is wrong with it. Else one line in error: which file, which format, what to do.
 * directory: the fd of it; path: its name, for the line. Changes nothing. */
bool formats_known(int directory, const char *path, char *error, size_t error_size);
