/* The table of replicas as text: a title and one row for each. */
#pragma once

#include "client/status_page.h"

/* The titles, then a row for each replica in the order of `status`: texts of one or more lines, each ending with a
 * line end. They and the array are the caller's to free. */
char **status_table(const struct jh_cluster_status *status, const struct status_page *page);
