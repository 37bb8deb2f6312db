#include "rpc/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static _Atomic int lowest_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&lowest_level, (int)level);
}

void log_line(enum log_level level, const char *component, const char *format, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};

	if ((int)level < atomic_load(&lowest_level))
		return;

	char line[1024];
	struct timespec now;
	struct tm utc;
	int tty = isatty(STDERR_FILENO);

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	int used = snprintf(line, sizeof line, "%s%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s ",
			    tty ? colours[level] : "", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
			    utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000, names[level], component);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
	va_end(arguments);
	/* One call, so that lines of the loop and of the disk threads never mix. */
	fprintf(stderr, "%s%s\n", line, tty && *colours[level] ? "\033[0m" : "");
}
