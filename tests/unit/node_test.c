/* What a replica's shell adds to its core: the core's decisions reach its peers and its disk. Damaged directories are
 * in node_damage_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/base/client_alias.h"
#include "tests/unit/support_node.h"

static struct report report_now(void)
{
	struct report report;

	node_report(node_rig.node, &report);
	return report;
}

static int64_t orders_now(void)
{
	const struct report report = report_now();
	int64_t orders = -1;

	assert_true(figures_get(&report.figures, FIGURE_ORDERS, &orders));
	return orders;
}

static uint64_t op_of(const jh_write_result *result)
{
	assert_int_equal(result->outcome, JH_DONE);
	return result->jh_write_result_u.done.answer.jh_operation_answer_u.order.op;
}

static int64_t time_of(const jh_write_result *result)
{
	assert_int_equal(result->outcome, JH_DONE);
	return result->jh_write_result_u.done.answer.jh_operation_answer_u.order.time_us;
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* Rule 8: every answer carries the op that it reflects, and a read waits for its floor. */
static void answers_carry_their_op(void **state)
{
	struct caller manager;
	jh_write_result written;
	jh_read_result read;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	for (uint64_t request = 1; request <= 3; request++) {
		written = order_now(&manager, request, "soup");
		assert_int_equal(op_of(&written), request);
		read = history_now(&manager, 1, request, false);
		assert_int_equal(read.outcome, JH_DONE);
		assert_int_equal(read.jh_read_result_u.done.basis.op, request);
	}
	assert_int_equal(history_now(&manager, 1, 4, false).outcome, JH_MOVED);
	assert_int_equal(history_now(&manager, 1, 4, true).outcome, JH_DONE);
	assert_int_equal(history_now(&manager, 2, 0, false).outcome, JH_MOVED);
	caller_close(&manager);
	node_rig_end();
}

/* An id lets whoever has it repeat or cancel its owner's requests: others are shown what cannot be turned back into it. */
static void histories_hide_client_ids(void **state)
{
	struct caller manager;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	assert_int_equal(history_now(&manager, 1, 1, true).outcome, JH_DONE);
	assert_false(uuid_equal(node_rig.shown_client, called(0xC1)));
	assert_true(uuid_equal(node_rig.shown_client, client_alias(node_rig.view.cluster, called(0xC1))));
	caller_close(&manager);
	node_rig_end();
}

/* Rule 11: a repeat gets the answer of its order, whatever the time is by then; the same number with other content is
 * refused; so is one below the client's last that made no order. Rules 2 and 6: the next process knows the view, and
 * does not lead it. */
static void a_repeat_gets_its_answer(void **state)
{
	struct caller manager;
	jh_write_result first, again;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	first = order_now(&manager, 5, "soup");
	atomic_store(&wall_ahead_us, 5000000);
	again = order_now(&manager, 5, "soup");
	assert_int_equal(op_of(&again), op_of(&first));
	assert_int_equal(time_of(&again), time_of(&first));
	assert_int_equal(order_now(&manager, 5, "pie").outcome, JH_KEY_REUSED);
	assert_int_equal(order_now(&manager, 4, "soup").outcome, JH_REFUSED);
	caller_close(&manager);
	node_killed();
	assert_int_equal(report_now().view.number, 1);
	assert_int_equal(report_now().state, STATE_NEED_NEW_VIEW);
	lead_again(&manager);
	again = order_now(&manager, 5, "soup");
	assert_int_equal(op_of(&again), op_of(&first));
	assert_int_equal(orders_now(), 5); /* four were loaded */
	caller_close(&manager);
	node_rig_end();
}

/* Rule 12: invalid text is refused by the primary too, after log and table were asked: nothing has happened under its
 * number, and a number that has an order is in conflict. */
static void what_shows_nothing_is_no_order(void **state)
{
	static const char *const blank[] = {" ", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xef\xbb\xbf \xc2\xad", "caf\xe9", "a\x1b"};
	struct caller manager;
	jh_write_result result;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	for (size_t i = 0; i < sizeof blank / sizeof *blank; i++) {
		result = order_now(&manager, 5, blank[i]);
		assert_int_equal(result.outcome, JH_REFUSED);
		assert_int_equal(result.jh_write_result_u.problem.reason, JH_REASON_BAD_REQUEST);
	}
	assert_int_equal(orders_now(), 4); /* the loaded ones */
	result = order_now(&manager, 5, "soup");
	assert_int_equal(result.outcome, JH_DONE);
	result = order_now(&manager, 5, " ");
	assert_int_equal(result.jh_write_result_u.problem.reason, JH_REASON_KEY_REUSED);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 16: a clock that goes back, also across a start, makes no order earlier than the one before it. */
static void times_never_fall(void **state)
{
	struct caller manager;
	jh_write_result first, second;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	first = order_now(&manager, 1, "soup");
	atomic_store(&wall_ahead_us, -3600 * INT64_C(1000000));
	second = order_now(&manager, 2, "soup");
	assert_int_equal(time_of(&second), time_of(&first));
	caller_close(&manager);
	node_killed();
	lead_again(&manager);
	second = order_now(&manager, 3, "soup");
	assert_int_equal(time_of(&second), time_of(&first));
	/* The last order is in the journal, and not yet known to be committed. */
	atomic_store(&wall_ahead_us, 30 * INT64_C(1000000));
	first = order_now(&manager, 4, "soup");
	caller_close(&manager);
	node_killed();
	atomic_store(&wall_ahead_us, 0);
	lead_again(&manager);
	second = order_now(&manager, 5, "soup");
	assert_int_equal(time_of(&second), time_of(&first));
	caller_close(&manager);
	node_rig_end();
}

/* Rule 10: --min-members comes with the heartbeat, and fewer members take no order. */
static void min_members_come_with_the_heartbeat(void **state)
{
	struct caller manager;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	heartbeat(&manager, 2, false);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_UNAVAILABLE);
	heartbeat(&manager, 1, false);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 19: from four fifths of --max-orders on it warns, also in status; the last one is the last, and nothing ends. */
static void a_limit_that_comes_near_is_told(void **state)
{
	struct caller manager;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	for (uint64_t request = 1; request < 80; request++)
		assert_int_equal(order_now(&manager, request, "soup").outcome, JH_DONE);
	assert_string_equal(report_now().detail, "");
	assert_int_equal(order_now(&manager, 80, "soup").outcome, JH_DONE);
	assert_string_equal(report_now().detail, "holds 80 of the 100 orders that its --max-orders allows");
	for (uint64_t request = 81; request <= 100; request++)
		assert_int_equal(order_now(&manager, request, "soup").outcome, JH_DONE);
	assert_int_equal(order_now(&manager, 101, "soup").outcome, JH_UNAVAILABLE);
	assert_int_equal(report_now().state, STATE_SERVING);
	caller_close(&manager);
	node_rig_end();
}

/* --- the disk ----------------------------------------------------------------------------------------------------- */

/* Rule 15: a report says how long the oldest write has been under way. */
static void a_late_disk_is_told(void **state)
{
	struct caller manager;
	struct question question;
	jh_write_result result;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	assert_int_equal(report_now().write_age_ms, 0);
	atomic_store(&disk_hangs, true);
	submit_order(&manager, &question, &result, 2, "soup");
	loop_for(6);
	assert_false(question.over);
	assert_in_range(report_now().write_age_ms, 50, 10000);
	atomic_store(&disk_hangs, false);
	loop_until(&question.over);
	assert_int_equal(op_of(&result), 2);
	xdr_free((xdrproc_t)xdr_jh_write_result, &result);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 13: a failed write ends the process at once; no client is told "done". */
static void a_failed_disk_ends_the_process(void **state)
{
	char around[SCRATCH_PATH_SIZE];
	int status;

	(void)state;
	scratch_new(around); /* contains the child's directory, which that process does not remove */
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct caller manager;
		struct question question;
		jh_write_result result;

		alarm(30);
		setenv("TMPDIR", around, 1);
		node_rig_begin();
		node_leads(&manager);
		atomic_store(&disk_fails, true);
		submit_order(&manager, &question, &result, 1, "soup");
		loop_for(80);
		_exit(question.over ? 3 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	scratch_remove(around);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_carry_their_op),
		cmocka_unit_test(histories_hide_client_ids),
		cmocka_unit_test(a_repeat_gets_its_answer),
		cmocka_unit_test(what_shows_nothing_is_no_order),
		cmocka_unit_test(times_never_fall),
		cmocka_unit_test(min_members_come_with_the_heartbeat),
		cmocka_unit_test(a_limit_that_comes_near_is_told),
		cmocka_unit_test(a_late_disk_is_told),
		cmocka_unit_test(a_failed_disk_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
