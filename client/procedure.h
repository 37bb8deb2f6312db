/* The procedures of the front-end, one row each: how a call is sent and what its answer means. Who calls them, and how
 * often, is decided elsewhere (session.c, load.c). */
#pragma once

#include "client/answer.h"

struct procedure {
	void (*send)(void *args, uint32_t timeout_ms, CLIENT *client);
	xdrproc_t decode;
	size_t result_size;
	/* Of a decoded result; unless it is done, *why and error are set. */
	enum attempt (*classify)(const void *result, struct answer_why *why, char *error, size_t error_size);
};

extern const struct procedure procedure_place;      /* jh_place_args, jh_write_result */
extern const struct procedure procedure_read;       /* jh_read_args, jh_read_result */
extern const struct procedure procedure_switchover; /* jh_switchover_args, jh_admin_result */
extern const struct procedure procedure_promote;    /* jh_promote_args, jh_admin_result */
extern const struct procedure procedure_remove;     /* jh_remove_args, jh_admin_result */
extern const struct procedure procedure_upgrade;    /* nothing, jh_admin_result */
extern const struct procedure procedure_status;     /* nothing, jh_cluster_status; every answer is done */
