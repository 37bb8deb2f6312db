/* Times in text for people: local time with its offset from UTC, so that no reader has to know where the program ran.
 * JSON and logs are UTC (text_time, wall_text). The zone is the process's (TZ, /etc/localtime). */
#pragma once

#include <stdint.h>

#define LOCAL_TIME_SIZE 48

/* "2026-11-21 05:32:28+00:00", whole seconds; the year as wall_text's. A zone whose offset was not whole minutes then
 * (before about 1930) shows the offset's seconds, too. Returns out. */
const char *local_time(int64_t time_us, char out[static LOCAL_TIME_SIZE]);

/* A copy of text, to be freed by the caller, in which each time that wall_text wrote ("2026-11-30T19:27:14Z") is
 * written as by local_time: front-end and replicas give times in UTC, because they do not know the reader's zone. */
char *local_time_rewrite(const char *text);
