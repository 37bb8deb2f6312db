/* Standard output that cannot lose an answer unnoticed: all that is printed with stdio goes through one place that
 * keeps the first error, with its true errno, and reports it. A reader that is gone, a full disk and a closed
 * descriptor are all errors of write(2) (process.h ignores SIGPIPE). */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Exit status of a program that did what was asked but could not print so. */
#define STANDARD_OUTPUT_UNWRITTEN 6

/* From now on; before anything is printed. At exit the rest is written, and when that or an earlier write failed and
 * has not been reported, one line says "PROGRAM: the answer could not be written to standard output: ..." and a status
 * of 0 becomes unwritten_status. program is kept. */
void standard_output_watch(const char *program, int unwritten_status);

/* A signal ends the wait for a reader that does not read: `ended` says whether one has arrived, and fd becomes
 * readable then. Afterwards only bytes that need no waiting are written. */
void standard_output_interrupt(int fd, bool (*ended)(void));

/* Writes what was printed; 0, or the errno of the first write that ever failed. */
int standard_output_flush(void);

/* The same, and reports it once: "PROGRAM: DONE, but the answer could not be written to standard output: ...". `done`:
 * what was done nevertheless. True: everything is written. */
bool standard_output_written(const char *done);

/* The stream as the C library made it, for a library that needs a file descriptor behind it. */
FILE *standard_output_original(void);
