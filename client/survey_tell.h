/* The conclusions from a survey's answers (survey.h), as text. */
#pragma once

#include <stddef.h>

#include "client/command.h"
#include "client/text.h"
#include "rpc/frontend.h"

/* error says why there is no front-end and how to start one. Where a replica hears one, its address is given instead
 * of advice to start another; where one was heard, its address is added. */
void survey_tell_frontend(const struct client_options *options, const struct jh_cluster_status *status, char *error,
			  size_t size);

/* Sets copies and expected of status, from the newest view among the answers. text: "; 2 of 3 copies answer here,
 * replica 2 lost since ...", or empty when all do. */
void survey_tell_copies(struct jh_cluster_status *status, char *text, size_t size);
