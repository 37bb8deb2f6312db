/* Deleting, moving or replacing the files under a running node removes what it has acknowledged: it says what
 * happened, and acknowledges nothing more (rules 13, 14). This program replaces libc's statx. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/net/background.h"
#include "server/disk/file_watch.h"
#include "tests/unit/support_node.h"

static char aside[SCRATCH_PATH_SIZE];
static atomic_bool statx_forbidden; /* as with a container's filter of system calls */

int statx(int directory, const char *restrict name, int flags, unsigned mask, struct statx *restrict info)
{
	if (!atomic_load(&statx_forbidden))
		return (int)syscall(SYS_statx, directory, name, flags, mask, info);
	errno = EPERM;
	return -1;
}

static struct report report_now(void)
{
	struct report report;

	node_report(node_rig.node, &report);
	return report;
}

static void in_directory(const char *command)
{
	char whole[4 * SCRATCH_PATH_SIZE];

	snprintf(whole, sizeof whole, "d='%s'; a='%s'; cd \"$d\" && { %s; }", node_rig.directory, aside, command);
	assert_int_equal(system(whole), 0);
}

static void do_nothing(void *context)
{
	(void)context;
}

static void note_done(void *context)
{
	**(bool **)context = true;
	free(context);
}

/* The background's work so far is done and reported. */
static void until_background_is_done(void)
{
	bool done = false;
	bool **context = malloc(sizeof *context);

	assert_non_null(context);
	*context = &done;
	background_run(node_rig.node->background, do_nothing, note_done, context);
	loop_until(&done);
}

/* A node with two orders, one of them after its latest check of the files. */
static void begin(struct caller *manager)
{
	node_rig_begin();
	scratch_new(aside);
	node_leads(manager);
	assert_int_equal(order_now(manager, 1, "soup").outcome, JH_DONE);
	loop_for(2);
	until_background_is_done(); /* the first check */
	assert_int_equal(order_now(manager, 2, "soup").outcome, JH_DONE);
}

static void end(struct caller *manager)
{
	caller_close(manager);
	node_finish();
	mkdir(node_rig.directory, 0700);
	node_rig_end();
	scratch_remove(aside);
}

static void until_damaged(const char *why)
{
	for (int i = 0; i < 400 && report_now().state != STATE_DAMAGED; i++) {
		atomic_fetch_add(&monotonic_ahead_us, 200000); /* checks happen at once */
		loop_for(1);
	}
	assert_int_equal(report_now().state, STATE_DAMAGED);
	if (strstr(report_now().detail, why) == NULL)
		fail_msg("%s", report_now().detail);
}

/* Nothing is served or written any more. The rest is set aside when another serves, unless there is no place for it:
 * then the node reports that until it stops. */
static void stops(struct caller *manager, bool directory_gone)
{
	assert_int_equal(order_now(manager, 9, "soup").outcome, JH_MOVED);
	assert_null(node_rig.node->journal);
	heartbeat(manager, 1, true);
	loop_for(1);
	assert_int_equal(node_rig.node->end, directory_gone ? NODE_RUNS : NODE_RETIRED);
	if (!directory_gone)
		return;
	atomic_fetch_add(&monotonic_ahead_us, 16000000);
	loop_for(2);
	assert_int_equal(node_rig.node->end, NODE_FAILED);
}

/* Rules 13 and 14, for the files and for their directory. */
static void files_are_looked_at(void **state)
{
	static const struct {
		const char *command, *why;
		bool directory_gone;
	} cases[] = {
		{"rm -r \"$d\"", "was deleted or moved while it ran", true},
		{"mv \"$d\" \"$a/away\"", "was deleted or moved while it ran", true},
		{"mv \"$d\" \"$a/away\" && mkdir \"$d\"", "was replaced by another one while it ran", true},
		{"rm journal-0*", "deleted while it ran", false},
		{"mv journal-0* \"$a\"", "journal-00000000000000000001 was deleted while it ran", false},
		{"mv journal-0* \"$a\" && cp \"$a\"/journal-0* .",
		 "journal-00000000000000000001 was replaced while it ran", false},
		{"truncate -s 0 journal-0*", "journal-00000000000000000001 was cut short while it ran", false},
		{"truncate -s -4096 journal-0*", "journal-00000000000000000001 was cut short while it ran", false},
		{"rm snapshot-*", "its snapshot of op 0 was deleted while it ran", false},
		{"mv snapshot-* \"$a\" && cp \"$a\"/snapshot-* .", "its snapshot of op 0 was replaced while it ran", false},
		{"truncate -s 0 snapshot-*", "its snapshot of op 0 was changed while it ran", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct caller manager;

		begin(&manager);
		in_directory(cases[i].command);
		until_damaged(cases[i].why);
		stops(&manager, cases[i].directory_gone);
		end(&manager);
	}
}

/* A backup copy made of links, or files beside the node's own, do no harm, nor does a lock that a cleaner removes. */
static void harmless_things(void **state)
{
	struct caller manager;

	(void)state;
	begin(&manager);
	in_directory("cp -al . \"$a/copy\"; rm lock; echo >note; mkdir other");
	for (int i = 0; i < 12; i++) {
		atomic_fetch_add(&monotonic_ahead_us, 1100000);
		loop_for(1);
	}
	assert_int_equal(report_now().state, STATE_SERVING);
	assert_int_equal(order_now(&manager, 3, "soup").outcome, JH_DONE);
	end(&manager);
}

/* Rule 14: a received history takes the place of another snapshot, perhaps of the same op, between two looks: that is no
 * damage. */
static void a_replacement_of_our_own_is_no_damage(void **state)
{
	struct caller manager;

	(void)state;
	begin(&manager);
	in_directory("mv snapshot-* \"$a\" && cp \"$a\"/snapshot-* .");
	file_watch_adopted(node_rig.node->files);
	for (int i = 0; i < 12; i++) {
		atomic_fetch_add(&monotonic_ahead_us, 1100000);
		loop_for(1);
	}
	assert_int_equal(report_now().state, STATE_SERVING);
	end(&manager);
}

/* Rule 14: where the system does not tell which file was written to, the check must not take it for another file. */
static void unknown_is_not_replaced(void **state)
{
	struct caller manager;

	(void)state;
	atomic_store(&statx_forbidden, true);
	begin(&manager);
	for (int i = 0; i < 12; i++) {
		atomic_fetch_add(&monotonic_ahead_us, 1100000);
		loop_for(1);
	}
	assert_int_equal(report_now().state, STATE_SERVING);
	end(&manager);
	atomic_store(&statx_forbidden, false);
}

static void nothing_is_done_after(const char *command)
{
	struct caller manager;
	struct question question;
	jh_write_result result;

	begin(&manager);
	in_directory(command);
	submit_order(&manager, &question, &result, 3, "soup");
	loop_until(&question.over);
	assert_int_equal(question.rpc, RPC_ANSWERED);
	assert_int_equal(result.outcome, JH_MOVED);
	xdr_free((xdrproc_t)xdr_jh_write_result, &result);
	assert_int_equal(report_now().state, STATE_DAMAGED);
	end(&manager);
}

/* Rule 13: not one order is acknowledged on a file that is deleted or truncated, however soon it arrives. */
static void nothing_is_done_on_a_deleted_file(void **state)
{
	(void)state;
	nothing_is_done_after("rm journal-0*");
	nothing_is_done_after("truncate -s 0 journal-0*");
	nothing_is_done_after("truncate -s -4096 journal-0*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_looked_at),
		cmocka_unit_test(harmless_things),
		cmocka_unit_test(a_replacement_of_our_own_is_no_damage),
		cmocka_unit_test(unknown_is_not_replaced),
		cmocka_unit_test(nothing_is_done_on_a_deleted_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
