/* The state of the cluster without a front-end: rpcbind and each registered replica are asked directly. */
#pragma once

#include "client/command.h"
#include "rpc/frontend.h"

/* Fills status as the front-end would have: health unavailable, a row for every registered replica (role down: it did
 * not answer), the highest view among them and its primary; no cluster uuid. error (of error_size) says why there is
 * no front-end, or where it is when a replica knows it. The summary is one line that says what is missing and which
 * command starts it, except where another cluster has the number, which must not be started here. Takes at most
 * timeout_ms, and never more than about three seconds; a signal ends it. Free with xdr_jh_cluster_status. */
void survey_replicas(const struct client_options *options, bool strangers, char *error, size_t error_size,
		     uint32_t timeout_ms, struct jh_cluster_status *status);
