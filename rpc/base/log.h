/* One line an event on standard error: "time level component message key=value...", coloured only on a terminal. Values
 * with blanks are quoted by the caller's format. Never logs an incarnation. */
#pragma once

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Lines below this level are dropped; INFO until told. */
void log_set_level(enum log_level level);

/* component: the noun that speaks ("journal", "views"); format: message then key=value pairs. */
__attribute__((format(printf, 3, 4))) void log_line(enum log_level level, const char *component, const char *format,
						    ...);

#define log_debug(component, ...) log_line(LOG_LEVEL_DEBUG, component, __VA_ARGS__)
#define log_info(component, ...) log_line(LOG_LEVEL_INFO, component, __VA_ARGS__)
#define log_warn(component, ...) log_line(LOG_LEVEL_WARN, component, __VA_ARGS__)
#define log_error(component, ...) log_line(LOG_LEVEL_ERROR, component, __VA_ARGS__)
