/* The state of the cluster, as a table for people or as JSON. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "client/command.h"
#include "client/status_page.h"
#include "rpc/cluster/figures.h"
#include "rpc/frontend.h"

/* error: why the front-end could not be asked, NULL when it answered. "outcome" and "error" are included only when the
 * service is unavailable. */
json_t *status_view_json(const struct jh_cluster_status *status, const char *error);

/* The table, and below it the command that starts what is missing. */
void status_view_table(FILE *out, const struct client_options *options, const struct jh_cluster_status *status,
		       const struct status_page *page);

/* "ok", "degraded", "unavailable"; "primary", "backup", "learner", "down", "foreign". */
const char *status_view_health(jh_health health);
const char *status_view_role(jh_role role);

/* The text after the health that a heading or a summary begins with; NULL when it begins with something else. A
 * front-end's summary is one text that holds both. For display only: decisions use the health field. */
const char *status_view_behind_health(const char *text, jh_health health);

/* How many members serve, their log made whole in the view. 0 while no primary serves, or while orders have to wait. */
uint32_t status_view_serving(const struct jh_cluster_status *status);

/* A replica that was never heard of: there are no facts that could have an age. */
bool status_view_never_heard(const struct jh_replica_row *row);

/* What it says of itself for people; none of one that was never heard of. */
void status_view_row_figures(const struct jh_replica_row *row, struct figures *figures);
