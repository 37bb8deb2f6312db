/* Puts the process into a known state before the program does anything else. Nothing that it inherits is taken for
 * granted: open descriptors, blocked or ignored signals, the file mask, the limits. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum process_kind { PROCESS_COMMAND, PROCESS_DAEMON };

/* The first line of main. Ends with one line where the stack is too small for anything.
 *
 * Descriptors 0 to 2 are open afterwards, so that nothing else ever gets these numbers: what was closed fails as it
 * would have ("Bad file descriptor"), nothing is lost silently. No signal is blocked. A peer that is gone and a file
 * that is too long are errors of write(2), not signals.
 *
 * A daemon also closes whatever else it inherited (no socket is passed to it, and a lock or a pipe of the process that
 * started it must not live on in it), makes files that only their owner reads, resets every other ignored signal to its
 * default, goes on writing to a terminal from the background, and raises its limits as far as it may: descriptors up to
 * 8192, address space, processes, size of files. A command leaves these as its user has set them. */
void process_begin(enum process_kind kind, const char *component);

/* A daemon's second step, once its options are parsed: ends with one line if too few descriptors are allowed, or no
 * file as large as it needs. From here on log lines wait for log_start, and signals for signals_watch. */
void process_serve(const char *component, uint64_t file_bytes);

/* How many connections may be open at once, `wanted` at most, so that enough descriptors are left for files and for
 * the connections that the daemon opens itself: a connecting client must not cost the journal its next segment. */
size_t process_connections(size_t wanted);

/* Replaces the contents of a lock file with this process id, for whoever meets the lock. A full disk leaves it
 * empty. */
void process_note(int file, const char *component);
