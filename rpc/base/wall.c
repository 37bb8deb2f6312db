#include "rpc/base/wall.h"

#include <stdio.h>
#include <time.h>

const char *wall_text(int64_t time_us, char text[WALL_TEXT_SIZE])
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm parts;

	if (gmtime_r(&seconds, &parts) == NULL || strftime(text, WALL_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		snprintf(text, WALL_TEXT_SIZE, "an unknown time");
	return text;
}
