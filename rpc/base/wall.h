/* Wall clock times for people to read. No decision depends on them (rule 16). */
#pragma once

#include <stdint.h>

#define WALL_TEXT_SIZE 40

/* Microseconds since 1970-01-01 UTC as "2026-11-30T19:27:14Z", whole seconds; the year has four digits or as many as it
 * needs, and a minus before year 0. Returns text. */
const char *wall_text(int64_t time_us, char text[WALL_TEXT_SIZE]);
