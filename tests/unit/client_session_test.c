/* Purpose: the session asks again with the same client id and number after a lost connection, ends with the outcome
 * that rule 12 demands, and takes no longer than its deadline; bench counts the same way. Against a front-end that
 * plays a script: a child process on our own server transport, reached by its address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "client/load.h"
#include "client/session.h"
#include "rpc/frontend.h"
#include "rpc/net/server.h"

#define STEPS_MAX 16

enum step {
	DONE,
	CLOSE,
	HOLD,
	MALFORMED,
	REFUSE,
	CONFLICT,
	SUPERSEDED,
	UNAVAILABLE,
	FULL,
	BUSY,
	UNKNOWN,
	NO_PROGRAM, /* from here on: the rejections of RFC 5531 section 9 */
	NO_VERSION,
	NO_PROCEDURE,
	GARBAGE,
	OTHER_RPC,
	CREDENTIALS,
	SYSTEM_ERROR
};

/* In memory that test and front-end share. After the last step it is played again and again. */
struct script {
	enum step steps[STEPS_MAX];
	unsigned int steps_count;
	unsigned int calls;
	jh_place_args seen[STEPS_MAX]; /* pointers within are not valid here */
	char address[64];
};

static struct script *script;
static pid_t frontend_pid;

void jh_frontend_1(struct svc_req *request, SVCXPRT *transport);

/* --- the front-end ---------------------------------------------------------------------------------------------- */

static enum step next_step(void)
{
	unsigned int call = script->calls++;

	return script->steps[call < script->steps_count ? call : script->steps_count - 1];
}

static bool_t refuse(jh_outcome outcome, jh_reason reason, jh_outcome *result_outcome, jh_problem *problem)
{
	*result_outcome = outcome;
	problem->reason = reason;
	problem->error.jh_text_val = strdup("because the script says so");
	problem->error.jh_text_len = (u_int)strlen(problem->error.jh_text_val);
	return TRUE;
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
		return refuse(JH_REFUSED, JH_REASON_CONFLICT, outcome, problem);
	case SUPERSEDED:
		return refuse(JH_REFUSED, JH_REASON_SUPERSEDED, outcome, problem);
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

bool_t place_order_1_svc(jh_place_args *args, jh_write_result *result, struct svc_req *request)
{
	enum step step;

	memset(result, 0, sizeof *result);
	if (script->calls < STEPS_MAX)
		script->seen[script->calls] = *args;
	step = next_step();
	if (step != DONE)
		return play(step, request, &result->outcome, &result->jh_write_result_u.problem);
	result->outcome = JH_DONE;
	result->jh_write_result_u.answer.kind = JH_OPERATION_ORDER;
	result->jh_write_result_u.answer.jh_operation_answer_u.order.op = 7;
	return TRUE;
}

bool_t read_history_1_svc(jh_read_args *args, jh_read_result *result, struct svc_req *request)
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

bool_t switchover_1_svc(jh_switchover_args *args, jh_admin_result *result, struct svc_req *request)
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

bool_t cluster_status_1_svc(void *args, jh_cluster_status *result, struct svc_req *request)
{
	(void)args;
	(void)request;
	memset(result, 0, sizeof *result);
	return TRUE;
}

bool_t promote_1_svc(jh_promote_args *args, jh_admin_result *result, struct svc_req *request)
{
	jh_switchover_args either = {0};

	(void)args;
	return switchover_1_svc(&either, result, request);
}

bool_t remove_1_svc(jh_remove_args *args, jh_admin_result *result, struct svc_req *request)
{
	(void)args;
	(void)result;
	(void)request;
	return FALSE;
}

bool_t announce_1_svc(jh_announce_args *args, void *result, struct svc_req *request)
{
	(void)args;
	(void)result;
	(void)request;
	return FALSE;
}

int jh_frontend_1_freeresult(SVCXPRT *transport, xdrproc_t decode, caddr_t result)
{
	(void)transport;
	xdr_free(decode, result);
	return 1;
}

static _Noreturn void serve(int ready)
{
	struct event_base *base = event_base_new();
	struct rpc_server_limits limits = rpc_server_limits_default();
	struct rpc_server *server = rpc_server_new(base, &limits);
	char error[256];

	rpc_server_register(server, PROGRAM_BASE_DEFAULT, JH_FRONTEND_V1, jh_frontend_1, NULL);
	if (!rpc_server_listen(server, script->address, script->address, sizeof script->address, error, sizeof error))
		_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	event_base_dispatch(base);
	_exit(0);
}

/* --- the test's side -------------------------------------------------------------------------------------------- */

/* At script->address. */
static void fork_frontend(void)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	frontend_pid = fork();
	assert_true(frontend_pid >= 0);
	if (!frontend_pid)
		serve(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
}

static struct client_options start_frontend(uint32_t timeout_ms, unsigned int count, const enum step *steps)
{
	struct client_options options = client_options_default();

	memset(script, 0, sizeof *script);
	memcpy(script->steps, steps, count * sizeof *steps);
	script->steps_count = count;
	strcpy(script->address, "127.0.0.1:0");
	fork_frontend();
	options.frontend = script->address;
	options.timeout_ms = timeout_ms;
	return options;
}

static void stop_frontend(void)
{
	if (!frontend_pid)
		return;
	kill(frontend_pid, SIGKILL);
	waitpid(frontend_pid, NULL, 0);
	frontend_pid = 0; /* the number may be another process's soon */
}

#define SCRIPT(...)                                                           \
	sizeof((enum step[]){__VA_ARGS__}) / sizeof(enum step), (enum step[]) \
	{                                                                     \
		__VA_ARGS__                                                   \
	}

static char said[SESSION_ERROR_SIZE]; /* why the last order was not placed */

static enum outcome place_as(const struct client_options *options, bool asked_before)
{
	struct session *session = session_new(options);
	jh_item item = {.jh_item_val = (char *)"pizza", .jh_item_len = 5};
	jh_place_args args = {.request = 3, .client = {{1, 2, 3}}, .operation = {.kind = JH_OPERATION_ORDER}};
	jh_write_result result;
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome;

	args.operation.jh_operation_u.order.items.items_val = &item;
	args.operation.jh_operation_u.order.items.items_len = 1;
	outcome = session_place(session, asked_before, &args, &result, error);
	if (outcome == OUTCOME_DONE) {
		assert_int_equal(result.jh_write_result_u.answer.jh_operation_answer_u.order.op, 7);
		xdr_free((xdrproc_t)xdr_jh_write_result, &result);
	} else {
		assert_true(strlen(error) > 0);
		memcpy(said, error, sizeof said);
	}
	session_free(session);
	stop_frontend();
	for (unsigned int i = 0; i < script->calls && i < STEPS_MAX; i++) {
		assert_int_equal(script->seen[i].request, 3);
		assert_memory_equal(script->seen[i].client.bytes, args.client.bytes, sizeof args.client.bytes);
	}
	return outcome;
}

static enum outcome place_once(const struct client_options *options)
{
	return place_as(options, false);
}

static void test_a_lost_answer_is_asked_for_again(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, CLOSE, UNKNOWN, DONE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 4);
}

static void test_refused_is_believed_only_first(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(REFUSE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_REFUSED);
	assert_int_equal(script->calls, 1);
	options = start_frontend(20000, SCRIPT(CLOSE, REFUSE));
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	assert_int_equal(script->calls, 2);
}

/* Rule 12: an answer that cannot be read says nothing: no refusal, and no order either. */
static void test_a_malformed_answer_is_no_answer(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(MALFORMED, DONE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 2);
	options = start_frontend(20000, SCRIPT(MALFORMED, REFUSE));
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	assert_int_equal(script->calls, 2);
}

static void test_unavailable_and_busy(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(UNAVAILABLE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
	options = start_frontend(20000, SCRIPT(FULL));
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
	assert_int_equal(script->calls, 1);
	options = start_frontend(20000, SCRIPT(BUSY, BUSY, DONE));
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	options = start_frontend(300, SCRIPT(BUSY));
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
	assert_true(script->calls > 1);
}

static void test_no_answer_is_unknown(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(HOLD));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	options = start_frontend(100, SCRIPT(CLOSE, UNAVAILABLE));
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
}

/* Interrupts this process when the front-end has its call. */
static void *interrupt(void *context)
{
	(void)context;
	while (*(volatile unsigned int *)&script->calls == 0)
		usleep(1000); /* the script is another process's: there is nothing to wait on */
	kill(getpid(), SIGINT);
	return NULL;
}

/* Rule 12: control-C says nothing about an order that is on its way. */
static void test_an_interrupted_order_is_unknown(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(HOLD));
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, interrupt, NULL), 0);
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	pthread_join(thread, NULL);
	assert_int_equal(script->calls, 1);
	assert_int_equal(interrupt_signal(), SIGINT);

	/* What comes after it does not leave this process at all. */
	options = start_frontend(20000, SCRIPT(DONE));
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
	assert_int_equal(script->calls, 0);
	interrupt_forget();
}

static void test_nobody_there_is_unavailable(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(DONE));

	(void)state;
	stop_frontend();
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
}

/* Rule 12: whoever was handed a number is in doubt. A refusal that no log entry stands behind, or "full", is about this
 * attempt alone, says so, and leaves the doubt; "superseded" and "other content" rest on the log and end it. */
static void test_only_the_log_ends_a_doubt(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(UNAVAILABLE));

	(void)state;
	assert_int_equal(place_as(&options, true), OUTCOME_UNKNOWN);
	options = start_frontend(100, SCRIPT(FULL));
	assert_int_equal(place_as(&options, true), OUTCOME_UNKNOWN);
	options = start_frontend(20000, SCRIPT(UNAVAILABLE, REFUSE));
	assert_int_equal(place_as(&options, true), OUTCOME_UNKNOWN);
	assert_non_null(strstr(said, "an earlier one may still be executed"));
	options = start_frontend(20000, SCRIPT(UNAVAILABLE, SUPERSEDED));
	assert_int_equal(place_as(&options, true), OUTCOME_REFUSED);
	options = start_frontend(20000, SCRIPT(CLOSE, CONFLICT));
	assert_int_equal(place_once(&options), OUTCOME_REFUSED);
	options = start_frontend(20000, SCRIPT(UNAVAILABLE, DONE));
	assert_int_equal(place_as(&options, true), OUTCOME_DONE);
}

static void test_reads_are_repeated_and_never_unknown(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, UNKNOWN, DONE));
	struct session *session = session_new(&options);
	jh_read_args args = {.query = {.kind = JH_QUERY_HISTORY}};
	jh_read_result result;
	char error[SESSION_ERROR_SIZE];

	(void)state;
	assert_int_equal(session_read(session, &args, &result, error), OUTCOME_DONE);
	xdr_free((xdrproc_t)xdr_jh_read_result, &result);
	assert_int_equal(script->calls, 3);
	session_free(session);
	stop_frontend();
	options = start_frontend(100, SCRIPT(HOLD));
	session = session_new(&options);
	assert_int_equal(session_read(session, &args, &result, error), OUTCOME_UNAVAILABLE);
	session_free(session);
	stop_frontend();
}

static void test_a_switchover_is_not_repeated(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, DONE));
	struct session *session = session_new(&options);
	jh_switchover_args args = {0};
	jh_admin_result result;
	char error[SESSION_ERROR_SIZE];

	(void)state;
	assert_int_equal(session_switchover(session, &args, &result, error), OUTCOME_UNKNOWN);
	assert_int_equal(script->calls, 1);
	session_free(session);
	stop_frontend();
}

/* The preview of a promotion changes nothing: it is asked again, the promotion itself is not. */
static void test_only_a_preview_is_repeated(void **state)
{
	(void)state;
	for (int confirm = 0; confirm < 2; confirm++) {
		struct client_options options = start_frontend(20000, SCRIPT(CLOSE, DONE));
		struct session *session = session_new(&options);
		jh_promote_args args = {.id = 1, .confirm = confirm};
		jh_admin_result result;
		char error[SESSION_ERROR_SIZE];

		assert_int_equal(session_promote(session, &args, &result, error), confirm ? OUTCOME_UNKNOWN : OUTCOME_DONE);
		assert_int_equal(script->calls, confirm ? 1 : 2);
		session_free(session);
		stop_frontend();
	}
}

/* What happened to a connection between two requests is no doubt about the second. */
static void test_a_connection_lost_while_idle_is_no_doubt(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE));
	struct session *session = session_new(&options);
	jh_read_args read = {.query = {.kind = JH_QUERY_HISTORY}};
	jh_read_result history;
	jh_switchover_args args = {0};
	jh_admin_result result;
	char error[SESSION_ERROR_SIZE];

	(void)state;
	assert_int_equal(session_read(session, &read, &history, error), OUTCOME_DONE);
	xdr_free((xdrproc_t)xdr_jh_read_result, &history);
	stop_frontend();
	fork_frontend();
	assert_int_equal(session_switchover(session, &args, &result, error), OUTCOME_DONE);
	session_free(session);
	stop_frontend();
}

/* Rule 12: what the other side rejects was certainly not executed: it is unavailable and no doubt comes of it; but an
 * earlier doubt stays. */
static void test_a_rejected_call_was_not_executed(void **state)
{
	static const enum step rejections[] = {NO_VERSION, NO_PROCEDURE, GARBAGE, OTHER_RPC, CREDENTIALS};
	struct client_options options;

	(void)state;
	for (size_t i = 0; i < sizeof rejections / sizeof *rejections; i++) {
		options = start_frontend(20000, 1, &rejections[i]);
		assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
		assert_int_equal(script->calls, 1);
		options = start_frontend(200, SCRIPT(CLOSE, rejections[i]));
		assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
		options = start_frontend(200, SCRIPT(rejections[i]));
		assert_int_equal(place_as(&options, true), OUTCOME_UNKNOWN);
	}
}

/* Whoever does not serve the program has taken the front-end's old port: it is looked for until the deadline. */
static void test_another_program_is_not_the_front_end(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(NO_PROGRAM, NO_PROGRAM, DONE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 3);
	options = start_frontend(100, SCRIPT(NO_PROGRAM));
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
}

/* Rule 12: a system error may come after the order was executed. */
static void test_a_system_error_proves_nothing(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(SYSTEM_ERROR));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	options = start_frontend(20000, SCRIPT(SYSTEM_ERROR, UNAVAILABLE, DONE));
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 3);
}

static struct load_result *run_load(const struct client_options *options, uint32_t clients, uint64_t orders)
{
	struct load_options load = {
		.client = options, .clients = clients, .orders = orders, .read_orders = 1, .postcodes = 2};
	struct load_result *result = malloc(sizeof *result);

	assert_non_null(result);
	load_run(&load, result);
	stop_frontend();
	return result;
}

static void test_bench_asks_again_and_counts_each_order_once(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE, CLOSE, UNKNOWN, BUSY, DONE));
	struct load_result *result = run_load(&options, 1, 10);

	(void)state;
	assert_int_equal(result->orders, 10);
	assert_int_equal(result->errors, 0);
	assert_int_equal(result->refused, 0);
	assert_int_equal(script->calls, 13);
	assert_int_equal(script->seen[0].request, 1);
	for (int call = 1; call < 5; call++)
		assert_int_equal(script->seen[call].request, 2);
	assert_int_equal(script->seen[5].request, 3);
	assert_true(result->max_gap_us >= result->latency_us.max);
	free(result);
}

static void test_bench_counts_refusals_and_unknowns(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE, REFUSE, DONE));
	struct load_result *result = run_load(&options, 1, 3);

	(void)state;
	assert_int_equal(result->orders, 3);
	assert_int_equal(result->refused, 1);
	free(result);
	options = start_frontend(100, SCRIPT(CLOSE, REFUSE, DONE));
	result = run_load(&options, 1, 3);
	assert_int_equal(result->orders, 3);
	assert_int_equal(result->refused, 0);
	assert_int_equal(result->unknown, 1);
	free(result);
	options = start_frontend(200, SCRIPT(NO_PROGRAM, NO_PROCEDURE, DONE, GARBAGE));
	result = run_load(&options, 1, 3);
	assert_int_equal(result->orders, 1);
	assert_int_equal(result->unknown, 0);
	assert_true(result->errors > 0);
	free(result);
}

/* What is refused for good is not placed by trying on: as many failures as wanted orders end it. */
static void test_bench_ends_without_an_order(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(REFUSE));
	struct load_result *result = run_load(&options, 1, 3);

	(void)state;
	assert_int_equal(result->refused, 3);
	assert_int_equal(result->orders, 0);
	free(result);
}

/* Nobody answers any more: what is under way then may have happened. */
static void test_bench_cut_off_is_unknown(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(DONE, HOLD));
	struct load_result *result = run_load(&options, 1, 3);

	(void)state;
	assert_int_equal(result->orders, 1);
	assert_int_equal(result->errors, 1);
	assert_int_equal(result->unknown, 1);
	free(result);
}

static void test_bench_draws_fresh_clients(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE));
	struct load_options load = {.client = &options, .clients = 2, .orders = 6, .read_orders = 1, .postcodes = 2,
				    .fresh_clients = true};
	struct load_result *result = malloc(sizeof *result);

	(void)state;
	load_run(&load, result);
	stop_frontend();
	assert_int_equal(script->calls, 6);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(script->seen[i].request, 1);
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(script->seen[i].client.bytes, script->seen[k].client.bytes, 16);
	}
	free(result);
}

/* A read that was lost is no doubt: what is said then is believed. */
static void test_bench_reads_are_never_unknown(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, DONE));
	struct load_options load = {.client = &options, .clients = 1, .duration_us = 100000, .reads_percent = 100,
				    .read_orders = 1, .postcodes = 2};
	struct load_result *result = malloc(sizeof *result);

	(void)state;
	load_run(&load, result);
	stop_frontend();
	assert_int_equal(result->refused, 1);
	assert_int_equal(result->unknown, 0);
	free(result);
}

static void test_bench_with_many_clients(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE));
	struct load_result *result = run_load(&options, 100, 5000);

	(void)state;
	assert_int_equal(result->orders, 5000);
	assert_int_equal(script->calls, 5000);
	assert_int_equal(result->latency_us.total, 5000);
	free(result);
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	script = mmap(NULL, sizeof *script, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return script == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lost_answer_is_asked_for_again),
		cmocka_unit_test(test_refused_is_believed_only_first),
		cmocka_unit_test(test_a_malformed_answer_is_no_answer),
		cmocka_unit_test(test_unavailable_and_busy),
		cmocka_unit_test(test_no_answer_is_unknown),
		cmocka_unit_test(test_an_interrupted_order_is_unknown),
		cmocka_unit_test(test_nobody_there_is_unavailable),
		cmocka_unit_test(test_only_the_log_ends_a_doubt),
		cmocka_unit_test(test_reads_are_repeated_and_never_unknown),
		cmocka_unit_test(test_a_switchover_is_not_repeated),
		cmocka_unit_test(test_a_rejected_call_was_not_executed),
		cmocka_unit_test(test_another_program_is_not_the_front_end),
		cmocka_unit_test(test_a_system_error_proves_nothing),
		cmocka_unit_test(test_bench_asks_again_and_counts_each_order_once),
		cmocka_unit_test(test_bench_counts_refusals_and_unknowns),
		cmocka_unit_test(test_only_a_preview_is_repeated),
		cmocka_unit_test(test_a_connection_lost_while_idle_is_no_doubt),
		cmocka_unit_test(test_bench_ends_without_an_order),
		cmocka_unit_test(test_bench_cut_off_is_unknown),
		cmocka_unit_test(test_bench_draws_fresh_clients),
		cmocka_unit_test(test_bench_reads_are_never_unknown),
		cmocka_unit_test(test_bench_with_many_clients),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
