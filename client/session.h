/* One client's conversation with the front-end. It finds the front-end through rpcbind, calls it, and when the
 * connection is lost, finds it again and repeats the same request, until the deadline. It blocks. It never reports an
 * earlier unknown as anything else (outcome.h). A signal ends the request under way, not the process, so that nothing
 * is forgotten (interrupt.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/answer.h"
#include "client/command.h"
#include "client/outcome.h"
#include "rpc/frontend.h"

#define SESSION_ERROR_SIZE 1024

struct session;

/* `options` is borrowed until session_free. Opens no connection yet. */
struct session *session_new(const struct client_options *options);
void session_free(struct session *session);

/* Each call repeats its request until it has an outcome; options->timeout_ms bounds all attempts together (plus 50 ms,
 * so that the front-end's own answer to a short deadline can arrive). On OUTCOME_DONE `result` holds the answer, to be
 * freed with xdr_free; otherwise `error` holds one line. timeout_ms within the arguments is set here. `kind`: a numbered
 * write, REQUEST_WRITE, REQUEST_KEPT or REQUEST_AGAIN. A REQUEST_WRITE that is refused in doubt is made void, and so ends
 * refused (docs/library.md). */
enum outcome session_place(struct session *session, enum request_kind kind, struct jh_place_args *args,
			   struct jh_write_result *result, char error[static SESSION_ERROR_SIZE]);
enum outcome session_read(struct session *session, struct jh_read_args *args, struct jh_read_result *result,
			  char error[static SESSION_ERROR_SIZE]);
enum outcome session_switchover(struct session *session, struct jh_switchover_args *args,
				struct jh_admin_result *result, char error[static SESSION_ERROR_SIZE]);
enum outcome session_promote(struct session *session, struct jh_promote_args *args, struct jh_admin_result *result,
			     char error[static SESSION_ERROR_SIZE]);
enum outcome session_remove(struct session *session, struct jh_remove_args *args, struct jh_admin_result *result,
			    char error[static SESSION_ERROR_SIZE]);
enum outcome session_upgrade(struct session *session, struct jh_admin_result *result, char error[static SESSION_ERROR_SIZE]);

/* Makes the request void, unless it was executed (REFUSED, session_why names what it became); repeated as an order is. */
enum outcome session_cancel(struct session *session, jh_uuid client, uint64_t number,
			    char error[static SESSION_ERROR_SIZE]);

/* Why the last order, cancel or read was not done, according to the front-end; nothing without an answer. */
const struct answer_why *session_why(const struct session *session);
/* The log decided its outcome: every later answer to the same request is the same. */
bool session_decided(const struct session *session);
/* The last answer came from another cluster: nothing of this one is registered under the requested number. */
bool session_met_strangers(const struct session *session);

/* One attempt, at most timeout_ms: for status, the lack of an answer is itself the information. DONE or UNAVAILABLE. */
enum outcome session_status(struct session *session, uint32_t timeout_ms, struct jh_cluster_status *result,
			    char error[static SESSION_ERROR_SIZE]);

/* Waits that long, or until a signal ends the command; returns false then. */
bool session_pause(struct session *session, uint32_t ms);
