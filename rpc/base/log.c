#include "rpc/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/escape.h"
#include "rpc/base/log_internal.h"
#include "rpc/base/log_queue.h"
#include "rpc/base/shortage.h"
#include "rpc/base/terminal.h"

static const char *const names[] = {"debug", "info", "warn", "error"};
static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};
#define COLOUR_END "\033[0m"

static _Atomic int lowest_level = LOG_LEVEL_INFO;
static const char *command_name; /* NULL: a daemon's lines */

void log_set_level(enum log_level level)
{
	atomic_store(&lowest_level, (int)level);
}

void log_as_command(const char *name)
{
	command_name = name;
}

void log_in_background(void)
{
	log_queue_hold();
	atexit(log_queue_flush);
}

void log_start(void)
{
	if (!log_queue_start())
		shortage("log", "start the thread that writes it: pthread_create");
}

void log_flush(void)
{
	log_queue_flush();
}

size_t log_head(char *text, size_t size, const char *colour, size_t *time_bytes)
{
	struct timespec now = rpc_wall_now();
	struct tm utc;

	gmtime_r(&now.tv_sec, &utc);

	int used = snprintf(text, size, "%s%04ld-%02d-%02dT%02d:%02d:%02d.%03ldZ ", colour, utc.tm_year + 1900L,
			    utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000);

	*time_bytes = (size_t)used;
	return (size_t)used;
}

/* Takes snprintf's result and the size of its buffer; returns the length of the text. */
static size_t written(int wanted, size_t room)
{
	if (wanted < 0 || room == 0)
		return 0;
	return (size_t)wanted < room ? (size_t)wanted : room - 1;
}

void log_line(enum log_level level, const char *component, const char *format, ...)
{
	if ((int)level < atomic_load(&lowest_level))
		return;

	char line[LOG_LINE_BYTES];
	size_t room = sizeof line - sizeof COLOUR_END;
	size_t used, same = 0;
	const char *colour = command_name == NULL && terminal_takes_escapes(STDERR_FILENO) ? colours[level] : "";

	if (command_name != NULL) {
		used = written(snprintf(line, room, "%s: ", command_name), room);
	} else {
		used = log_head(line, room, colour, &same);
		used += written(snprintf(line + used, room - used, "%s %s ", names[level], component), room - used);
	}

	char message[LOG_LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	escape_into(line + used, room - used, message,
		    written(vsnprintf(message, sizeof message, format, arguments), sizeof message), ESCAPE_LINE);
	va_end(arguments);
	used += strlen(line + used);
	if (*colour != '\0') {
		memcpy(line + used, COLOUR_END, sizeof COLOUR_END - 1);
		used += sizeof COLOUR_END - 1;
	}
	log_queue_put(STDERR_FILENO, line, used, same);
}

void log_plain(int fd, const char *format, ...)
{
	char line[LOG_LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	size_t used = written(vsnprintf(line, sizeof line, format, arguments), sizeof line);
	va_end(arguments);
	log_queue_put(fd, line, used, sizeof line);
}
