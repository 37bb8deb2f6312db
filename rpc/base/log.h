/* Each event is one line on standard error: "time level component message key=value...", coloured only on a terminal.
 * A message always stays one line of visible characters (rpc/base/escape.h). The caller's format quotes values with
 * blanks. Never logs an incarnation. Never waits for the reader of the log, once log_in_background was called. */
#pragma once

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Lines below this level are dropped; INFO by default. */
void log_set_level(enum log_level level);

/* For a program whose standard error is read by the person who typed the command: "NAME: message" and nothing else.
 * The text is kept. */
void log_as_command(const char *name);

/* From now on lines are queued for a thread (log_start); before it runs, and when the process ends, log_flush writes
 * them. exit() flushes by itself, _exit() and abort() do not. */
void log_in_background(void);

/* Starts that thread, or ends the program with one line. Not before memory_holder_start, which requires a
 * single-threaded process. */
void log_start(void);

/* Writes everything logged so far, giving up after one second without a reader. Call before _exit, abort and exec. */
void log_flush(void);

/* component: the noun that logs ("journal", "views"); format: message then key=value pairs. */
__attribute__((format(printf, 3, 4))) void log_line(enum log_level level, const char *component, const char *format,
						    ...);

/* A verbatim line, without time and level: on standard error (2) a continuation of the line before, such as a trace;
 * on standard output (1) a daemon's answer to the process that started it ("ready ..."). */
__attribute__((format(printf, 2, 3))) void log_plain(int fd, const char *format, ...);

#define log_debug(component, ...) log_line(LOG_LEVEL_DEBUG, component, __VA_ARGS__)
#define log_info(component, ...) log_line(LOG_LEVEL_INFO, component, __VA_ARGS__)
#define log_warn(component, ...) log_line(LOG_LEVEL_WARN, component, __VA_ARGS__)
#define log_error(component, ...) log_line(LOG_LEVEL_ERROR, component, __VA_ARGS__)
