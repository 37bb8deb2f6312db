/* Figures that only people and metrics look at, by name, so that a new one changes no format: what a program does not know it
 * keeps and passes on. It refuses to hold what a decision is made on: that is a field of its own. No pointers, no memory of
 * its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a replica. */
#define FIGURE_ORDERS "orders"           /* in its history, with those it was loaded with */
#define FIGURE_SET_ASIDE "set_aside"     /* entries in DIR/set-aside */
/* Of a front-end. */
#define FIGURE_QUEUED "queued"           /* requests that wait in it */
/* Of both. */
#define FIGURE_UPTIME_S "uptime_s"
#define FIGURE_LOOP_MAX_US "loop_max_us" /* longest iteration of its event loop so far */

#define FIGURES_MAX 64
#define FIGURE_NAME_SIZE 33 /* with the NUL */

struct figure {
	char name[FIGURE_NAME_SIZE];
	int64_t value;
};

struct figures {
	uint32_t count;
	struct figure list[FIGURES_MAX]; /* each name once */
};

/* 1 to 32 bytes of a-z, 0-9 and _. */
bool figure_name_good(const char *name, size_t size);

/* Adds it, or replaces its value. Nothing else changes place. The name must be good and there must be room. */
void figures_set(struct figures *figures, const char *name, int64_t value);

/* False: there is no such figure, and *value is unchanged. */
bool figures_get(const struct figures *figures, const char *name, int64_t *value);
