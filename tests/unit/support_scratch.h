/* For tests with files: a directory of the test's own, and its end with all that is in it. All of them lie below
 * $TMPDIR (unset: /tmp), so that who runs a program that will not end in good order (tests/mutation/run.sh) can name
 * that place and remove what stays. Asks no clock and syncs nothing: some tests stand before these calls of libc and
 * count them. */
#pragma once

#define SCRATCH_PATH_SIZE 512

/* Makes an empty directory, for its owner only, and writes its path to path, which has room for SCRATCH_PATH_SIZE
 * bytes. A failure stops the process. */
void scratch_new(char *path);
/* Removes a directory with all that is in it; a symbolic link is removed, never followed. What writes there has ended,
 * and nothing is mounted there: a failure stops the process. */
void scratch_remove(const char *path);
