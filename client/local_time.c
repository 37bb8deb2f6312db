#include "client/local_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rpc/base/shortage.h"

static void write_time(time_t seconds, char out[static LOCAL_TIME_SIZE])
{
	struct tm local;
	long offset;

	if (localtime_r(&seconds, &local) == NULL) {
		snprintf(out, LOCAL_TIME_SIZE, "an unknown time");
		return;
	}
	offset = labs(local.tm_gmtoff);
	int used = snprintf(out, LOCAL_TIME_SIZE, "%04ld-%02d-%02d %02d:%02d:%02d%c%02ld:%02ld", local.tm_year + 1900L,
			    local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
			    local.tm_gmtoff < 0 ? '-' : '+', offset / 3600 % 100, offset / 60 % 60);

	if (offset % 60 != 0)
		snprintf(out + used, LOCAL_TIME_SIZE - (size_t)used, ":%02ld", offset % 60);
}

const char *local_time(int64_t time_us, char out[static LOCAL_TIME_SIZE])
{
	write_time((time_t)(time_us / 1000000 - (time_us % 1000000 < 0)), out);
	return out;
}

/* Reads the UTC time at the start of text; returns its length, 0: there is none. */
static size_t read_time(const char *text, time_t *seconds)
{
	static const char form[] = "-99-99T99:99:99Z"; /* after the year; 9: any digit */
	size_t sign = *text == '-', digits = strspn(text + sign, "0123456789");
	const char *rest = text + sign + digits;
	struct tm utc = {.tm_mday = 0};

	if (digits < 4 - sign || digits > 6)
		return 0;
	for (size_t i = 0; form[i] != '\0'; i++) {
		if (form[i] == '9' ? !isdigit((unsigned char)rest[i]) : rest[i] != form[i])
			return 0;
	}
	if (sscanf(rest, "-%2d-%2dT%2d:%2d:%2dZ", &utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min,
		   &utc.tm_sec) != 5)
		return 0;
	utc.tm_mon--;
	utc.tm_year = (int)strtol(text, NULL, 10) - 1900;
	*seconds = timegm(&utc);
	return sign + digits + strlen(form);
}

char *local_time_rewrite(const char *text)
{
	char *out = NULL, time[LOCAL_TIME_SIZE];
	size_t size;
	FILE *to = open_memstream(&out, &size);
	bool within = false; /* within a word: a time does not begin there */

	must_allocate(to);
	while (*text) {
		time_t seconds;
		size_t length = within ? 0 : read_time(text, &seconds);

		if (length > 0) {
			write_time(seconds, time);
			fputs(time, to);
			text += length;
			continue;
		}
		within = isalnum((unsigned char)*text) || *text == '-' || *text == ':';
		fputc(*text++, to);
	}
	if (fclose(to) != 0)
		shortage_of_memory(__func__);
	return out;
}
