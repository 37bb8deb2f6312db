/* Tells the front-end that this replica has started (--frontend HOST). That only makes discovery faster: nothing
 * depends on it, and a failure is worth no more than a debug line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct announcer;
struct event_base;
struct registry;

struct announcer_options {
	struct event_base *base;
	struct registry *registry;
	uint32_t program_base;
	uint32_t id;
	const char *frontend;        /* host; NULL: none */
	const char *address;         /* where this replica is found; borrowed */
};

struct announcer *announcer_new(const struct announcer_options *options);
void announcer_free(struct announcer *announcer);
void announce(struct announcer *announcer);
/* On every tick: announces again from time to time, as long as no front-end has found us. */
void announcer_tick(struct announcer *announcer, bool managed);
