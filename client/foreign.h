/* Are there orders in the cluster that bench did not place? Those that it places are kept forever, beside everybody's. */
#pragma once

#include <stdint.h>

#include "client/session.h"

/* Counts the placed orders (those that replicas were loaded with are nobody's) that are not bench's own. It reads the
 * histories that bench writes, at most until every order there is found to be bench's; what is ordered meanwhile is not
 * counted. DONE, or why it could not be told, with one line in error. */
enum outcome foreign_count(struct session *session, uint64_t *count, char error[static SESSION_ERROR_SIZE]);
