#include "rpc/base/wall.h"

#include <stdio.h>
#include <time.h>

const char *wall_text(int64_t time_us, char text[WALL_TEXT_SIZE])
{
	time_t seconds = (time_t)(time_us / 1000000 - (time_us % 1000000 < 0));
	struct tm utc;

	if (gmtime_r(&seconds, &utc) == NULL)
		snprintf(text, WALL_TEXT_SIZE, "an unknown time");
	else
		snprintf(text, WALL_TEXT_SIZE, "%04ld-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900L, utc.tm_mon + 1,
			 utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
	return text;
}
