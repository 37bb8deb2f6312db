/* One line an event on standard error: "time level component message key=value...", coloured only on a terminal. Whatever
 * is said stays one line, in which everything can be seen (rpc/base/escape.h). Values with blanks are quoted by the
 * caller's format. Never logs an incarnation. Never waits for who reads it, once log_in_background was called. */
#pragma once

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Lines below this level are dropped; INFO until told. */
void log_set_level(enum log_level level);

/* For a program whose standard error is read by who typed the command: "NAME: message" and nothing else. The text is
 * kept. */
void log_as_command(const char *name);

/* From now on lines wait for a thread (log_start); before it runs, and when the process ends, log_flush writes them. exit()
 * flushes by itself, _exit() and abort() do not. */
void log_in_background(void);

/* Starts that thread, or ends the program with one line. Not before memory_holder_start, which wants to be alone. */
void log_start(void);

/* Whatever was said is written, if anybody reads it within a second. Before _exit, abort and exec. */
void log_flush(void);

/* component: the noun that speaks ("journal", "views"); format: message then key=value pairs. */
__attribute__((format(printf, 3, 4))) void log_line(enum log_level level, const char *component, const char *format,
						    ...);

/* A line as it is, without time and level: on standard error (2) what belongs to the line before, such as a trace; on
 * standard output (1) what a daemon answers to who started it ("ready ..."). */
__attribute__((format(printf, 2, 3))) void log_plain(int fd, const char *format, ...);

#define log_debug(component, ...) log_line(LOG_LEVEL_DEBUG, component, __VA_ARGS__)
#define log_info(component, ...) log_line(LOG_LEVEL_INFO, component, __VA_ARGS__)
#define log_warn(component, ...) log_line(LOG_LEVEL_WARN, component, __VA_ARGS__)
#define log_error(component, ...) log_line(LOG_LEVEL_ERROR, component, __VA_ARGS__)
