/* A replica on a directory that is damaged, truncated or incomplete: it reports that, and writes nothing to it (rules
 * 3 and 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/disk/journal.h"
#include "tests/unit/support_node.h"

static struct report report_now(void)
{
	struct report report;

	node_report(node_rig.node, &report);
	return report;
}

/* The node's files when they were last copied; removed by damaged_end. */
static char before[SCRATCH_PATH_SIZE];

static void copy_files(void)
{
	char command[2 * SCRATCH_PATH_SIZE + 32];

	scratch_new(before);
	snprintf(command, sizeof command, "cp -a '%s'/[ijs]* '%s'", node_rig.directory, before);
	assert_int_equal(system(command), 0);
}

/* A state that was being received, or that is to get its name: the journal decides. */
static void put_received(void)
{
	char command[2 * SCRATCH_PATH_SIZE + 64];

	snprintf(command, sizeof command, "cp -a '%s'/snapshot-0* '%s'/incoming.tmp", node_rig.directory,
		 node_rig.directory);
	assert_int_equal(system(command), 0);
}

static bool files_are_those_before(void)
{
	char command[2 * SCRATCH_PATH_SIZE + 64];

	snprintf(command, sizeof command, "cd '%s' && for f in *; do cmp -s \"$f\" '%s'/\"$f\" || exit 1; done", before,
		 node_rig.directory);
	return system(command) == 0;
}

/* A stopped node with three orders, the second of which cannot be read. */
static void damaged_begin(void)
{
	struct caller manager;

	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	assert_int_equal(order_now(&manager, 2, "chowder").outcome, JH_DONE);
	assert_int_equal(order_now(&manager, 3, "bread").outcome, JH_DONE);
	caller_close(&manager);
	node_finish();
	spoil("chowder");
	put_received();
	copy_files();
}

static void damaged_end(void)
{
	node_rig_end();
	scratch_remove(before);
}

/* Rule 14: a damaged replica writes nothing more, serves nothing, and gives its data up only when the view manager
 * says that another serves. */
static void damage_is_left_alone(void **state)
{
	struct caller manager;

	(void)state;
	damaged_begin();
	node_begin();
	assert_int_equal(report_now().state, STATE_DAMAGED);
	manager_opens(&manager, 0xA);
	node_rig.view.number++;
	assert_int_equal(install_view(&manager, &node_rig.view), JH_MANAGE_REFUSED);
	assert_int_equal(order_now(&manager, 4, "soup").outcome, JH_MOVED);
	loop_for(4);
	assert_int_equal(node_rig.node->end, NODE_RUNS);
	assert_true(files_are_those_before());
	heartbeat(&manager, 1, true);
	assert_int_equal(node_rig.node->end, NODE_RETIRED);
	caller_close(&manager);
	damaged_end();
}

/* Rule 14: without that confirmation it stops; its files stay as they are. */
static void unconfirmed_damage_stops(void **state)
{
	(void)state;
	damaged_begin();
	node_begin();
	loop_for(2);
	assert_int_equal(node_rig.node->end, NODE_RUNS);
	atomic_store(&monotonic_ahead_us, 16000000);
	loop_for(2);
	assert_int_equal(node_rig.node->end, NODE_FAILED);
	assert_true(files_are_those_before());
	damaged_end();
}

static bool take_any(void *context, const struct journal_record *record, char *error, size_t error_size)
{
	(void)context;
	(void)record;
	(void)error;
	(void)error_size;
	return true;
}

static void written(void *context, uint64_t ticket)
{
	(void)ticket;
	*(bool *)context = true;
}

/* A sound record that does not follow from those before it. */
static void append_what_does_not_fit(void)
{
	static const struct journal_batch batch = {.base_op = 7, .durable_op = 7, .commit = 7};
	struct event_base *base = event_base_new();
	struct journal_recovery recovery;
	bool over = false;
	const struct journal_options options = {.base = base, .durable = written, .context = &over};
	struct journal *journal = journal_open(node_rig.directory, &options, take_any, NULL, &recovery);

	assert_non_null(journal);
	assert_true(journal_append_batch(journal, 1, &batch, NULL, 0));
	while (!over)
		event_base_loop(base, EVLOOP_ONCE);
	journal_close(journal);
	event_base_free(base);
}

/* Rule 14: also when every record is sound, but together they form no log. */
static void records_that_do_not_fit_are_damage(void **state)
{
	struct caller manager;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	caller_close(&manager);
	node_finish();
	append_what_does_not_fit();
	copy_files();
	node_begin();
	assert_int_equal(report_now().state, STATE_DAMAGED);
	loop_for(4);
	assert_true(files_are_those_before());
	damaged_end();
}

/* Rules 3 and 14: an unfinished write is cut off, and every report says where. */
static void a_cut_tail_is_told(void **state)
{
	struct caller manager;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	assert_int_equal(order_now(&manager, 2, "chowder").outcome, JH_DONE);
	assert_int_equal(report_now().tail_cut, 0);
	caller_close(&manager);
	node_killed_and_spoilt("chowder");
	assert_int_equal(report_now().op, 1);
	assert_int_equal(report_now().tail_cut, 2);
	node_rig_end();
}

/* Rules 3 and 14: also after the next start, and the one after that, and when the first order ever was cut: until the
 * log has become whole in a view. */
static void a_cut_tail_is_remembered(void **state)
{
	struct caller manager;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "chowder").outcome, JH_DONE);
	caller_close(&manager);
	node_killed_and_spoilt("chowder");
	for (int start = 1; start <= 3; start++) {
		assert_int_equal(report_now().op, 0);
		assert_int_equal(report_now().tail_cut, 1);
		loop_for(2);
		if (start == 2)
			node_killed();
		node_finish();
		node_begin();
	}
	lead_again(&manager);
	assert_int_equal(report_now().tail_cut, 0);
	caller_close(&manager);
	node_killed();
	assert_int_equal(report_now().tail_cut, 0);
	node_rig_end();
}

/* Rule 14: the same when the next start comes before the core has recorded it. */
static void a_cut_tail_is_remembered_at_once(void **state)
{
	struct caller manager;
	struct journal_options own = {.base = event_base_new()};
	struct journal_recovery recovery;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	assert_int_equal(order_now(&manager, 2, "chowder").outcome, JH_DONE);
	caller_close(&manager);
	node_killed_and_gone();
	spoil("chowder");

	struct journal *journal = journal_open(node_rig.directory, &own, take_any, NULL, &recovery);

	assert_int_equal(recovery.outcome, JOURNAL_TAIL_CUT);
	journal_abandon(journal);
	event_base_free(own.base);
	node_begin();
	assert_int_equal(report_now().tail_cut, 2);
	node_rig_end();
}

static void lose_files(const char *prefix)
{
	char command[SCRATCH_PATH_SIZE + 32];

	node_finish();
	snprintf(command, sizeof command, "rm '%s/%s'*", node_rig.directory, prefix);
	assert_int_equal(system(command), 0);
	node_begin();
}

/* Rules 3 and 14: a directory without its snapshot is damaged and not new; one that has lost everything but its
 * initial orders is another replica, with a uuid of its own. */
static void a_directory_that_lost_files(void **state)
{
	struct caller manager;
	struct uuid uuid;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	caller_close(&manager);
	uuid = node_rig.node->uuid;
	lose_files("journal-0");
	assert_int_equal(report_now().state, STATE_IDLE);
	assert_false(uuid_equal(node_rig.node->uuid, uuid));
	lose_files("snapshot");
	assert_int_equal(report_now().state, STATE_DAMAGED);
	node_rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_left_alone),
		cmocka_unit_test(unconfirmed_damage_stops),
		cmocka_unit_test(records_that_do_not_fit_are_damage),
		cmocka_unit_test(a_cut_tail_is_told),
		cmocka_unit_test(a_cut_tail_is_remembered),
		cmocka_unit_test(a_cut_tail_is_remembered_at_once),
		cmocka_unit_test(a_directory_that_lost_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
