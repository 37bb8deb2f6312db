/* Does the cluster hold orders that bench did not place? The orders of bench are kept forever, beside those of
 * everyone else. */
#pragma once

#include <stdint.h>

#include "client/session.h"

/* Counts the placed orders (not those that replicas were loaded with) that are not bench's own. It reads the histories
 * that bench writes, at most until every order is accounted for as bench's; orders placed meanwhile are not counted.
 * DONE, or why the count failed, with one line in error. */
enum outcome foreign_count(struct session *session, uint64_t *count, char error[static SESSION_ERROR_SIZE]);
