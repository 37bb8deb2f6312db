/* What the client takes from its environment, so that people who always ask the same cluster need not say so each time.
 * An option of the command line wins. The daemons read none of it: what they do stands in their command line alone. */
#pragma once

#include <stddef.h>

#include "client/command.h"

#define ENVIRONMENT_FRONTEND "JUSTHUNGRY_FRONTEND"
#define ENVIRONMENT_PROGRAM_BASE "JUSTHUNGRY_PROGRAM_BASE"

/* NULL when it is not set, or empty, which is the same. */
const char *environment_value(const char *name);

/* Sets what the environment sets. A value that cannot be one is left for environment_check: an option may yet win. */
void environment_read(struct client_options *options);

/* False: options still has such a value, and error names the variable. */
bool environment_check(const struct client_options *options, char *error, size_t error_size);
