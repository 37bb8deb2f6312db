/* Lines on their way to standard error. Whatever logs a line must not wait for its reader: a pipe that is not
 * read, a terminal stopped with control-S or a full disk may hold a write forever. So a daemon's lines wait in a
 * bounded queue for a thread that does nothing but write them. When the queue is full, or the write fails, lines are
 * dropped, and a line says how many as soon as one gets through. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE_BYTES 1100

/* Before this a line is written at once by its caller, as the command line does. From now on lines wait. */
void log_queue_hold(void);

/* Starts the thread; lines that have waited come first. False with errno when no thread can be started: then lines
 * go on waiting, and only log_flush writes them. */
bool log_queue_start(void);

/* text without the line end, borrowed, at most LOG_LINE_BYTES. From `same` on it is compared with the line before:
 * repeats are counted, and "last line repeated N times" follows before the next different line, and every FOLD_MS.
 * same >= size: never folded. */
void log_queue_put(int fd, const char *text, size_t size, size_t same);

/* Waits until all is written, or for one second when they are not read. From the first of these calls to the end of the
 * process it never waits for more than one second in all. */
void log_queue_flush(void);
