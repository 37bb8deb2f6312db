/* Purpose: the session repeats a request with the same client id and number after a lost connection, ends with the
 * outcome that rule 12 demands, and takes no longer than its deadline. Against a scripted front-end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "client/session.h"
#include "tests/unit/support_script.h"

static char said[SESSION_ERROR_SIZE]; /* why the last order was not placed */
static struct answer_why why;	       /* the same, for programs */
static bool decided;		       /* by the log */

static enum outcome place_as(const struct client_options *options, enum request_kind kind)
{
	struct session *session = session_new(options);
	jh_item item = {.jh_item_val = (char *)"pizza", .jh_item_len = 5};
	jh_place_args args = {.request = 3, .client = {{1, 2, 3}}, .operation = {.kind = JH_OPERATION_ORDER}};
	jh_write_result result;
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome;

	args.operation.jh_operation_u.order.items.items_val = &item;
	args.operation.jh_operation_u.order.items.items_len = 1;
	outcome = session_place(session, kind, &args, &result, error);
	if (outcome == OUTCOME_DONE) {
		assert_int_equal(result.jh_write_result_u.done.answer.jh_operation_answer_u.order.op, 7);
		xdr_free((xdrproc_t)xdr_jh_write_result, &result);
	} else {
		assert_true(strlen(error) > 0);
		memcpy(said, error, sizeof said);
	}
	why = *session_why(session);
	decided = session_decided(session);
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
	return place_as(options, REQUEST_WRITE);
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
	assert_int_equal(script->calls, 3);
}

static unsigned int voids_seen(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < script->calls && i < STEPS_MAX; i++)
		count += script->seen[i].operation.kind == JH_OPERATION_VOID;
	return count;
}

/* A refusal in doubt: the number, which is the session's own, is made void, for as long as it takes. Then the request is
 * refused, and the refusal is why. */
static void test_a_refusal_in_doubt_is_made_final(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, CLOSE, BUSY, FULL, DONE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_REFUSED);
	assert_int_equal(script->calls, 6);
	assert_int_equal(script->seen[1].operation.kind, JH_OPERATION_ORDER);
	assert_int_equal(script->seen[2].operation.kind, JH_OPERATION_VOID);
	assert_int_equal(voids_seen(), 4);
	assert_non_null(strstr(said, "because the script says so"));
	assert_non_null(strstr(said, "will never be executed"));
	assert_int_equal(why.reason, JH_REASON_INVALID_POSTCODE);
	assert_true(decided);
}

/* The VOID came too late: the order is asked for again, and was placed. */
static void test_a_refused_void_means_done(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, EXECUTED, CLOSE, DONE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 5);
	assert_int_equal(voids_seen(), 1);
	assert_int_equal(script->seen[3].operation.kind, JH_OPERATION_ORDER);
	/* A front-end that contradicts itself is not asked in circles. */
	options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, EXECUTED, REFUSE));
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	assert_int_equal(script->calls, 4);
	assert_false(decided);
}

static void test_a_void_without_an_end_is_unknown(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, FULL));

	(void)state;
	clock_jumps_after(3);
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	assert_int_equal(voids_seen(), 1);
	assert_non_null(strstr(said, "an earlier one may still be executed"));
	assert_non_null(strstr(said, "it could not be cancelled"));
	assert_int_equal(why.reason, JH_REASON_INVALID_POSTCODE);
	assert_false(decided);
}

/* A number that is to be used again is not made void. */
static void test_a_kept_number_is_not_made_void(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(REFUSE));

	(void)state;
	assert_int_equal(place_as(&options, REQUEST_KEPT), OUTCOME_REFUSED);
	options = start_frontend(20000, SCRIPT(CLOSE, REFUSE));
	assert_int_equal(place_as(&options, REQUEST_KEPT), OUTCOME_UNKNOWN);
	assert_int_equal(voids_seen(), 0);
}

/* Ends as session_cancel. */
static enum outcome cancel_once(const struct client_options *options)
{
	struct session *session = session_new(options);
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome = session_cancel(session, (jh_uuid){{1, 2, 3}}, 3, error);

	why = *session_why(session);
	session_free(session);
	stop_frontend();
	assert_int_equal(voids_seen(), script->calls);
	for (unsigned int i = 0; i < script->calls && i < STEPS_MAX; i++)
		assert_int_equal(script->seen[i].request, 3);
	return outcome;
}

static void test_a_request_is_cancelled(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, BUSY, DONE));

	(void)state;
	assert_int_equal(cancel_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 3);
	options = start_frontend(20000, SCRIPT(EXECUTED));
	assert_int_equal(cancel_once(&options), OUTCOME_REFUSED);
	assert_int_equal(why.reason, JH_REASON_DONE_BEFORE);
	assert_true(why.tells_became);
	assert_int_equal(why.became.op, 7);
	options = start_frontend(20000, SCRIPT(UNAVAILABLE));
	assert_int_equal(cancel_once(&options), OUTCOME_UNAVAILABLE);
	options = start_frontend(20000, SCRIPT(CLOSE, REFUSE));
	assert_int_equal(cancel_once(&options), OUTCOME_UNKNOWN);
	assert_int_equal(script->calls, 2);
}

/* Rule 12: an answer that cannot be decoded proves nothing: neither a refusal nor an order. */
static void test_a_malformed_answer_is_no_answer(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(MALFORMED, DONE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 2);
	options = start_frontend(20000, SCRIPT(MALFORMED, REFUSE));
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	assert_int_equal(script->calls, 3);
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
	options = start_frontend(20000, SCRIPT(BUSY));
	clock_jumps_after(2);
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
	assert_int_equal(script->calls, 2);
}

static void test_no_answer_is_unknown(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(HOLD));

	(void)state;
	clock_stands_until(1);
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	options = start_frontend(20000, SCRIPT(CLOSE, UNAVAILABLE));
	clock_jumps_after(2);
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
}

/* Interrupts this process when the front-end has its call. */
static void *interrupt(void *context)
{
	(void)context;
	while (*(volatile unsigned int *)&script->calls == 0)
		usleep(1000); /* the script runs in another process: there is no event to wait for */
	kill(getpid(), SIGINT);
	return NULL;
}

/* Rule 12: control-C says nothing about an order in transit. */
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

	/* Later requests do not leave this process at all. */
	options = start_frontend(20000, SCRIPT(DONE));
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
	assert_int_equal(script->calls, 0);
	interrupt_forget();
}

static void test_no_front_end_is_unavailable(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(DONE));

	(void)state;
	stop_frontend();
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
}

/* Rule 12: a request whose number was given to the client is in doubt. A refusal that no log entry supports, or
 * "full", is about this attempt alone, says so, and leaves the doubt; "superseded" and "other content" rest on the log
 * and end it. */
static void test_only_the_log_ends_a_doubt(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(UNAVAILABLE));

	(void)state;
	clock_jumps_after(1);
	assert_int_equal(place_as(&options, REQUEST_AGAIN), OUTCOME_UNKNOWN);
	options = start_frontend(20000, SCRIPT(FULL));
	clock_jumps_after(1);
	assert_int_equal(place_as(&options, REQUEST_AGAIN), OUTCOME_UNKNOWN);
	options = start_frontend(20000, SCRIPT(UNAVAILABLE, REFUSE));
	assert_int_equal(place_as(&options, REQUEST_AGAIN), OUTCOME_UNKNOWN);
	assert_non_null(strstr(said, "an earlier one may still be executed"));
	assert_int_equal(voids_seen(), 0); /* it may be repeated by others */
	options = start_frontend(20000, SCRIPT(UNAVAILABLE, SUPERSEDED));
	assert_int_equal(place_as(&options, REQUEST_AGAIN), OUTCOME_REFUSED);
	options = start_frontend(20000, SCRIPT(CLOSE, CONFLICT));
	assert_int_equal(place_once(&options), OUTCOME_REFUSED);
	options = start_frontend(20000, SCRIPT(UNAVAILABLE, DONE));
	assert_int_equal(place_as(&options, REQUEST_AGAIN), OUTCOME_DONE);
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
	clock_stands_until(1);
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

/* The preview of a promotion changes nothing: it is repeated, the promotion itself is not. */
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

/* The fate of a connection between two requests causes no doubt about the second. */
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
	fork_frontend(script->address, PROGRAM_BASE_DEFAULT);
	assert_int_equal(session_switchover(session, &args, &result, error), OUTCOME_DONE);
	session_free(session);
	stop_frontend();
}

/* Rule 12: a rejected call was certainly not executed: it is unavailable and causes no doubt; but an earlier doubt
 * stays. */
static void test_a_rejected_call_was_not_executed(void **state)
{
	static const enum step rejections[] = {NO_VERSION, NO_PROCEDURE, GARBAGE, OTHER_RPC, CREDENTIALS};
	struct client_options options;

	(void)state;
	for (size_t i = 0; i < sizeof rejections / sizeof *rejections; i++) {
		options = start_frontend(20000, 1, &rejections[i]);
		assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
		assert_int_equal(script->calls, 1);
		options = start_frontend(20000, SCRIPT(CLOSE, rejections[i]));
		clock_jumps_after(2);
		assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
		options = start_frontend(20000, SCRIPT(rejections[i]));
		clock_jumps_after(1);
		assert_int_equal(place_as(&options, REQUEST_AGAIN), OUTCOME_UNKNOWN);
	}
}

/* A process that does not serve the program has taken the front-end's old port: the front-end is looked up until the
 * deadline. */
static void test_another_program_is_not_the_front_end(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(NO_PROGRAM, NO_PROGRAM, DONE));

	(void)state;
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 3);
	options = start_frontend(20000, SCRIPT(NO_PROGRAM));
	clock_jumps_after(2);
	assert_int_equal(place_once(&options), OUTCOME_UNAVAILABLE);
	assert_int_equal(script->calls, 2);
}

/* Rule 12: a system error may follow the execution of the order. */
static void test_a_system_error_proves_nothing(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(SYSTEM_ERROR));

	(void)state;
	clock_jumps_after(1);
	assert_int_equal(place_once(&options), OUTCOME_UNKNOWN);
	options = start_frontend(20000, SCRIPT(SYSTEM_ERROR, UNAVAILABLE, DONE));
	assert_int_equal(place_once(&options), OUTCOME_DONE);
	assert_int_equal(script->calls, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lost_answer_is_asked_for_again),
		cmocka_unit_test(test_refused_is_believed_only_first),
		cmocka_unit_test(test_a_refusal_in_doubt_is_made_final),
		cmocka_unit_test(test_a_refused_void_means_done),
		cmocka_unit_test(test_a_void_without_an_end_is_unknown),
		cmocka_unit_test(test_a_kept_number_is_not_made_void),
		cmocka_unit_test(test_a_request_is_cancelled),
		cmocka_unit_test(test_a_malformed_answer_is_no_answer),
		cmocka_unit_test(test_unavailable_and_busy),
		cmocka_unit_test(test_no_answer_is_unknown),
		cmocka_unit_test(test_an_interrupted_order_is_unknown),
		cmocka_unit_test(test_no_front_end_is_unavailable),
		cmocka_unit_test(test_only_the_log_ends_a_doubt),
		cmocka_unit_test(test_reads_are_repeated_and_never_unknown),
		cmocka_unit_test(test_a_switchover_is_not_repeated),
		cmocka_unit_test(test_a_rejected_call_was_not_executed),
		cmocka_unit_test(test_another_program_is_not_the_front_end),
		cmocka_unit_test(test_a_system_error_proves_nothing),
		cmocka_unit_test(test_only_a_preview_is_repeated),
		cmocka_unit_test(test_a_connection_lost_while_idle_is_no_doubt),
	};

	return cmocka_run_group_tests(tests, start_script, NULL);
}
