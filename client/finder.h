/* Finds the front-end without blocking the event loop, repeatedly while it is needed, with growing pauses while it
 * fails. */
#pragma once

#include "client/command.h"

struct event_base;
struct finder;

/* `found` gets the address, or NULL and the reason; it is never called from within finder_look. options is borrowed. */
struct finder *finder_new(struct event_base *base, const struct client_options *options,
			  void (*found)(void *context, const char *address, const char *error), void *context);
void finder_free(struct finder *finder);

/* Starts a lookup unless one is under way. The first lookup after finder_settled starts at once, each later one after
 * a pause. */
void finder_look(struct finder *finder);

/* The address that was found works: the next failure starts with short pauses again. */
void finder_settled(struct finder *finder);
