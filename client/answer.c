#include "client/answer.h"

#include "rpc/cluster/convert.h"

enum attempt answer_attempt(jh_outcome outcome, jh_reason reason, bool final)
{
	switch (outcome) {
	case JH_DONE:
		return ATTEMPT_DONE;
	case JH_REFUSED:
		return final ? ATTEMPT_REFUSED_FOR_GOOD : ATTEMPT_REFUSED; /* RULE 12 */
	case JH_KEY_REUSED:
		return ATTEMPT_REFUSED_FOR_GOOD;
	case JH_UNAVAILABLE:
		return reason == JH_REASON_BUSY ? ATTEMPT_BUSY : ATTEMPT_UNAVAILABLE;
	case JH_UNKNOWN:
	case JH_MOVED: /* never sent to clients; if it arrives anyway it proves nothing */
		break;
	}
	return ATTEMPT_UNKNOWN;
}

static enum attempt not_done(jh_outcome outcome, const jh_problem *problem, struct answer_why *why, char *error,
			     size_t error_size)
{
	*why = (struct answer_why){.reason = problem->reason, .tells_became = problem->became != NULL};
	if (problem->became != NULL)
		why->became = *problem->became;
	convert_text(error, error_size, problem->error.jh_text_val, problem->error.jh_text_len);
	return answer_attempt(outcome, problem->reason, problem->basis.final != FALSE);
}

enum attempt answer_write(const jh_write_result *result, struct answer_why *why, char *error, size_t error_size)
{
	if (result->outcome == JH_DONE)
		return ATTEMPT_DONE;
	return not_done(result->outcome, &result->jh_write_result_u.problem, why, error, error_size);
}

enum attempt answer_read(const jh_read_result *result, struct answer_why *why, char *error, size_t error_size)
{
	if (result->outcome == JH_DONE)
		return ATTEMPT_DONE;
	return not_done(result->outcome, &result->jh_read_result_u.problem, why, error, error_size);
}

enum attempt answer_admin(const jh_admin_result *result, char *error, size_t error_size)
{
	if (result->outcome == JH_DONE)
		return ATTEMPT_DONE;
	convert_text(error, error_size, result->text.jh_text_val, result->text.jh_text_len);
	return answer_attempt(result->outcome, JH_REASON_NONE, false);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

const char *answer_reason_name(jh_reason reason)
{
	switch (reason) {
	case JH_REASON_NONE:
		break;
	case JH_REASON_BAD_REQUEST:
		return "bad-request";
	case JH_REASON_INVALID_POSTCODE:
		return "invalid-postcode";
	case JH_REASON_POSTCODE_UNCHECKED:
		return "postcode-unchecked";
	case JH_REASON_KEY_REUSED:
		return "key-reused";
	case JH_REASON_VOID:
		return "void";
	case JH_REASON_FULL:
		return "full";
	case JH_REASON_DISK_FULL:
		return "disk-full";
	case JH_REASON_TOO_FEW_MEMBERS:
		return "too-few-members";
	case JH_REASON_NO_PRIMARY:
		return "no-primary";
	case JH_REASON_BUSY:
		return "busy";
	case JH_REASON_DONE_BEFORE:
		return "done-before";
	case JH_REASON_FORMAT:
		return "format";
	}
	return NULL;
}

const char *answer_kind_name(jh_operation_kind kind)
{
	switch (kind) {
	case JH_OPERATION_NONE:
		break;
	case JH_OPERATION_ORDER:
		return "order";
	case JH_OPERATION_VOID:
		return "void";
	}
	return NULL;
}

const char *answer_entry_result_name(jh_entry_result result)
{
	switch (result) {
	case JH_ENTRY_DONE:
		return "done";
	case JH_ENTRY_REFUSED:
		return "refused";
	case JH_ENTRY_VOID:
		return "void";
	case JH_ENTRY_PASSED:
		return "passed";
	}
	return NULL;
}
