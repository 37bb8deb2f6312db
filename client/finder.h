/* Finds the front-end without blocking the event loop, again and again while it is needed, ever less often while it
 * fails. */
#pragma once

#include "client/command.h"

struct event_base;
struct finder;

/* `found` gets the address, or NULL and why there is none; never from within finder_look. options is borrowed. */
struct finder *finder_new(struct event_base *base, const struct client_options *options,
			  void (*found)(void *context, const char *address, const char *error), void *context);
void finder_free(struct finder *finder);

/* Looks once, unless a look is under way. The first look after finder_settled starts at once, each later one after
 * a pause. */
void finder_look(struct finder *finder);

/* What was found works: the next trouble is a new one. */
void finder_settled(struct finder *finder);
