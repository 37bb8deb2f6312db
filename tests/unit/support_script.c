#include "tests/unit/support_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "client/outcome.h"
#include "rpc/net/server.h"

struct script *script;

/* --- the client's clock ------------------------------------------------------------------------------------------- */

static unsigned int tries_left;    /* until the clock jumps; 0: it never does */
static unsigned int calls_awaited; /* the clock stands until the front-end has had so many */
static struct timespec stands_at;  /* meanwhile */
static int64_t clock_ahead_ns;     /* of the system's */

#define SECOND_NS 1000000000ll

/* Both monotonic clocks: libevent's timers may be of the coarse one. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, clock == CLOCK_MONOTONIC_COARSE ? CLOCK_MONOTONIC : clock, time);
	int64_t now_ns;

	if (result != 0 || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE))
		return result;
	now_ns = time->tv_sec * SECOND_NS + time->tv_nsec;
	if (calls_awaited > 0) {
		clock_ahead_ns = stands_at.tv_sec * SECOND_NS + stands_at.tv_nsec - now_ns;
		if (*(volatile unsigned int *)&script->calls >= calls_awaited)
			calls_awaited = 0;
	}
	now_ns += clock_ahead_ns;
	time->tv_sec = now_ns / SECOND_NS;
	time->tv_nsec = now_ns % SECOND_NS;
	return 0;
}

void clock_jumps_after(unsigned int tries)
{
	tries_left = tries;
}

void clock_stands_until(unsigned int calls)
{
	clock_gettime(CLOCK_MONOTONIC, &stands_at);
	calls_awaited = calls;
}

bool __real_outcome_attempt(struct request_track *track, enum attempt attempt);
bool __wrap_outcome_attempt(struct request_track *track, enum attempt attempt);
bool __wrap_outcome_attempt(struct request_track *track, enum attempt attempt)
{
	if (tries_left > 0 && --tries_left == 0)
		clock_ahead_ns += 3600 * SECOND_NS;
	return __real_outcome_attempt(track, attempt);
}

/* --- the script --------------------------------------------------------------------------------------------------- */

static enum step next_step(void)
{
	unsigned int call = script->calls++;

	return script->steps[call < script->steps_count ? call : script->steps_count - 1];
}

static bool_t refuse(jh_outcome outcome, jh_reason reason, jh_outcome *result_outcome, jh_problem *problem)
{
	*result_outcome = outcome;
	return frontend_complains(problem, reason, "because the script says so");
}

static bool_t refuse_void(jh_outcome *outcome, jh_problem *problem)
{
	problem->basis.final = TRUE;
	problem->became = calloc(1, sizeof *problem->became);
	if (problem->became == NULL)
		_exit(1);
	*problem->became = (jh_became){.kind = JH_OPERATION_ORDER, .op = 7, .result = JH_ENTRY_DONE};
	return refuse(JH_REFUSED, JH_REASON_DONE_BEFORE, outcome, problem);
}

static void reject(enum step step, SVCXPRT *transport)
{
	struct rpc_msg message = {.rm_direction = REPLY};

	switch (step) {
	case NO_PROGRAM:
		svcerr_noprog(transport);
		break;
	case NO_VERSION:
		svcerr_progvers(transport, 2, 3);
		break;
	case NO_PROCEDURE:
		svcerr_noproc(transport);
		break;
	case GARBAGE:
		svcerr_decode(transport);
		break;
	case CREDENTIALS:
		svcerr_auth(transport, AUTH_TOOWEAK);
		break;
	case SYSTEM_ERROR:
		svcerr_systemerr(transport);
		break;
	default:
		message.rm_reply.rp_stat = MSG_DENIED;
		message.rjcted_rply.rj_stat = RPC_MISMATCH;
		message.rjcted_rply.rj_vers.low = 3;
		message.rjcted_rply.rj_vers.high = 3;
		SVC_REPLY(transport, &message);
	}
}

/* False: the step gives no answer, or has given it. */
static bool_t play(enum step step, struct svc_req *request, jh_outcome *outcome, jh_problem *problem)
{
	switch (step) {
	case CLOSE:
		rpc_connection_close(rpc_call_connection(request));
		return FALSE;
	case MALFORMED: {
		bool_t half = TRUE;

		rpc_call_reply(rpc_call_take(request), (xdrproc_t)xdr_bool, &half);
		return FALSE;
	}
	case REFUSE:
		return refuse(JH_REFUSED, JH_REASON_INVALID_POSTCODE, outcome, problem);
	case CONFLICT:
		return refuse(JH_KEY_REUSED, JH_REASON_KEY_REUSED, outcome, problem);
	case SUPERSEDED:
		problem->basis.final = TRUE;
		return refuse(JH_REFUSED, JH_REASON_VOID, outcome, problem);
	case EXECUTED:
		return refuse_void(outcome, problem);
	case UNAVAILABLE:
		return refuse(JH_UNAVAILABLE, JH_REASON_NO_PRIMARY, outcome, problem);
	case FULL:
		return refuse(JH_UNAVAILABLE, JH_REASON_FULL, outcome, problem);
	case BUSY:
		return refuse(JH_UNAVAILABLE, JH_REASON_BUSY, outcome, problem);
	case UNKNOWN:
		return refuse(JH_UNKNOWN, JH_REASON_NONE, outcome, problem);
	case HOLD:
	case DONE:
		break;
	default:
		reject(step, request->rq_xprt);
	}
	return FALSE;
}

bool_t place_order_2_svc(jh_place_args *args, jh_write_result *result, struct svc_req *request)
{
	enum step step;

	memset(result, 0, sizeof *result);
	if (script->calls < STEPS_MAX)
		script->seen[script->calls] = *args;
	step = next_step();
	if (step != DONE)
		return play(step, request, &result->outcome, &result->jh_write_result_u.problem);
	return args->operation.kind == JH_OPERATION_VOID ? frontend_voids(result) : frontend_places(result);
}

bool_t read_history_2_svc(jh_read_args *args, jh_read_result *result, struct svc_req *request)
{
	enum step step = next_step();

	(void)args;
	memset(result, 0, sizeof *result);
	if (step != DONE)
		return play(step, request, &result->outcome, &result->jh_read_result_u.problem);
	result->outcome = JH_DONE;
	result->jh_read_result_u.done.answer.kind = JH_QUERY_HISTORY;
	return TRUE;
}

bool_t switchover_2_svc(jh_switchover_args *args, jh_admin_result *result, struct svc_req *request)
{
	enum step step = next_step();
	jh_problem unused = {0};

	(void)args;
	memset(result, 0, sizeof *result);
	if (step != DONE) {
		bool_t answered = play(step, request, &result->outcome, &unused);

		free(unused.error.jh_text_val);
		return answered;
	}
	result->outcome = JH_DONE;
	return TRUE;
}

bool_t cluster_status_2_svc(void *args, jh_cluster_status *result, struct svc_req *request)
{
	(void)args;
	(void)request;
	memset(result, 0, sizeof *result);
	return TRUE;
}

bool_t promote_2_svc(jh_promote_args *args, jh_admin_result *result, struct svc_req *request)
{
	jh_switchover_args either = {0};

	(void)args;
	return switchover_2_svc(&either, result, request);
}

struct client_options start_frontend(uint32_t timeout_ms, unsigned int count, const enum step *steps)
{
	struct client_options options = client_options_default();

	tries_left = 0; /* before the fork: the front-end's clock neither stands nor jumps */
	calls_awaited = 0;
	memset(script, 0, sizeof *script);
	memcpy(script->steps, steps, count * sizeof *steps);
	script->steps_count = count;
	fork_frontend(script->address, PROGRAM_BASE_DEFAULT);
	options.frontend = script->address;
	options.timeout_ms = timeout_ms;
	return options;
}

int start_script(void **state)
{
	(void)state;
	script = shared_with_frontend(sizeof *script);
	return script == NULL;
}
