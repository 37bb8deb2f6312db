/* For tests with files: a directory of the test's own, and its removal with everything in it. All of them are below
 * $TMPDIR (unset: /tmp), so that a caller whose program may not end in good order (tests/mutation/run.sh) can name
 * that place and remove what remains. Uses no clock and syncs nothing: some tests replace these calls of libc and
 * count them. */
#pragma once

#define SCRATCH_PATH_SIZE 512

/* Makes an empty directory, for its owner only, and writes its path to path, which has room for SCRATCH_PATH_SIZE
 * bytes. A failure stops the process. */
void scratch_new(char *path);
/* Removes a directory with everything in it; a symbolic link is removed, never followed. No process writes there any
 * more, and nothing is mounted there: a failure stops the process. */
void scratch_remove(const char *path);
