/* What a front-end's answer means for the request (rule 12): the only place where its outcome and reason become an
 * attempt of client/outcome.h. The decision depends on the enumerations alone, never on the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "client/outcome.h"
#include "rpc/frontend.h"

/* Why a request was not done, for messages and for what is advised next. All zeros: nothing is known. */
struct answer_why {
	jh_reason reason;
	bool tells_became;
	jh_became became; /* what stands under the request's number */
};

/* reason is read only where outcome is not JH_DONE. */
enum attempt answer_attempt(jh_outcome outcome, jh_reason reason, bool final);

/* Of a decoded result; unless it is done, `why` is set and `error` holds the text of the front-end. */
enum attempt answer_write(const jh_write_result *result, struct answer_why *why, char *error, size_t error_size);
enum attempt answer_read(const jh_read_result *result, struct answer_why *why, char *error, size_t error_size);
enum attempt answer_admin(const jh_admin_result *result, char *error, size_t error_size);

/* For JSON; NULL where there is none, or none that this program knows. */
const char *answer_reason_name(jh_reason reason);             /* "invalid-postcode" */
const char *answer_kind_name(jh_operation_kind kind);         /* "order" */
const char *answer_entry_result_name(jh_entry_result result); /* "done", "refused", "void", "passed" */
