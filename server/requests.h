/* SUBMIT and QUERY: from the call to what the core decides on, and from its decision to the answer. The only step that
 * may talk to the outside world, the postcode check, happens before an operation enters the log. A request is the
 * core's token. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/net/server.h"
#include "rpc/replica.h"
#include "server/replica/replica.h"

struct machine;
struct postcode_checker;
struct requests;

struct requests_options {
	struct postcode_checker *checker;
	struct machine *const *machine;   /* where the history is to be found */
	struct replica *const *replica;   /* and the view, and the log that is not applied yet */
	/* An event for the core: a call has arrived. What it points to is borrowed. */
	void (*event)(void *context, struct replica_event *event);
	/* A request was validated outside of any step: see requests_next. */
	void (*turn_end)(void *context);
	/* The time of an order that enters the log now (rule 16). */
	int64_t (*date)(void *context);
	void *context;
};

struct requests *requests_new(const struct requests_options *options);
/* Calls not answered yet are dropped. */
void requests_free(struct requests *requests);

/* The procedures; FALSE: answered later. */
bool_t requests_submit(struct requests *requests, jh_submit_args *args, struct svc_req *call);
bool_t requests_query(struct requests *requests, jh_query_args *args, struct svc_req *call);

/* For the core's service: whether the applied state and the log allow the request. */
enum replica_admission requests_admit(void *context, uint64_t token);

/* DO_VALIDATE, DO_ANSWER, DO_READ and DO_READ_MOVED of the core. */
void requests_validate(uint64_t token);
void requests_answer(const struct replica_answer *answer);
void requests_answer_read(uint64_t token, bool moved);

/* The next one that has been validated, as PROPOSE or DECLINE; *time_us: of its order. False: none. */
bool requests_next(struct requests *requests, struct replica_event *event, int64_t *time_us);
