/* Purpose: the client never reports a request that may have happened as refused or unavailable (rule 12), whatever
 * sequence of attempts came before; and it stops repeating exactly when there is nothing left to learn. Every sequence
 * up to a length is tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/outcome.h"

#define LENGTH 6
#define KINDS (ATTEMPT_BUSY + 1)

static bool leaves_doubt(enum attempt attempt)
{
	return attempt == ATTEMPT_LOST || attempt == ATTEMPT_TIMED_OUT || attempt == ATTEMPT_UNKNOWN;
}

/* Plays the sequence that `code` spells in base KINDS; returns the outcome, and whether any attempt left a doubt, and
 * the last attempt that was played. */
static enum outcome play(enum request_kind kind, bool patient, unsigned int code, bool *doubt, enum attempt *last)
{
	struct request_track track = outcome_begin(kind, patient);

	*doubt = false;
	for (int i = 0; i < LENGTH; i++, code /= KINDS) {
		*last = code % KINDS;
		*doubt |= leaves_doubt(*last);
		if (!outcome_attempt(&track, *last)) {
			assert_int_not_equal(track.outcome, OUTCOME_OPEN);
			return track.outcome;
		}
		assert_int_equal(track.outcome, OUTCOME_OPEN);
	}
	return outcome_give_up(&track);
}

static unsigned int sequences(void)
{
	unsigned int count = 1;

	for (int i = 0; i < LENGTH; i++)
		count *= KINDS;
	return count;
}

/* Rule 12: once an attempt may have happened, nothing but an entry of the log ends the doubt. */
static void test_a_doubt_stays(void **state)
{
	enum attempt last;
	bool doubt;

	(void)state;
	for (unsigned int code = 0; code < sequences(); code++)
		for (int patient = 0; patient < 2; patient++) {
			enum outcome outcome = play(REQUEST_WRITE, patient, code, &doubt, &last);

			if (last == ATTEMPT_DONE)
				assert_int_equal(outcome, OUTCOME_DONE);
			else if (last == ATTEMPT_REFUSED_FOR_GOOD)
				assert_int_equal(outcome, OUTCOME_REFUSED);
			else if (doubt)
				assert_int_equal(outcome, OUTCOME_UNKNOWN);
			else if (last == ATTEMPT_REFUSED)
				assert_int_equal(outcome, OUTCOME_REFUSED);
			else
				assert_int_equal(outcome, OUTCOME_UNAVAILABLE);
		}
}

/* Rule 12: a request whose number was given to the client begins in doubt. The first call may still be in transit, so
 * that "invalid postcode" is about this attempt alone; only an entry of the log ends the doubt. */
static void test_a_given_number_is_in_doubt(void **state)
{
	enum attempt last;
	bool doubt;

	(void)state;
	for (unsigned int code = 0; code < sequences(); code++) {
		enum outcome outcome = play(REQUEST_AGAIN, false, code, &doubt, &last);

		if (last == ATTEMPT_DONE)
			assert_int_equal(outcome, OUTCOME_DONE);
		else if (last == ATTEMPT_REFUSED_FOR_GOOD)
			assert_int_equal(outcome, OUTCOME_REFUSED);
		else
			assert_int_equal(outcome, OUTCOME_UNKNOWN);
	}
}

static void test_reads_are_never_unknown(void **state)
{
	enum attempt last;
	bool doubt;

	(void)state;
	for (unsigned int code = 0; code < sequences(); code++)
		assert_int_not_equal(play(REQUEST_READ, false, code, &doubt, &last), OUTCOME_UNKNOWN);
}

static void test_without_a_number_nothing_is_asked_twice(void **state)
{
	struct request_track track = outcome_begin(REQUEST_ONCE, false);

	(void)state;
	assert_true(outcome_attempt(&track, ATTEMPT_NOT_SENT));
	assert_false(outcome_attempt(&track, ATTEMPT_LOST));
	assert_int_equal(track.outcome, OUTCOME_UNKNOWN);
}

static void test_unavailable_ends_unless_it_may_clear_a_doubt(void **state)
{
	struct request_track first = outcome_begin(REQUEST_WRITE, false);
	struct request_track later = outcome_begin(REQUEST_WRITE, false);
	struct request_track patient = outcome_begin(REQUEST_WRITE, true);

	(void)state;
	assert_false(outcome_attempt(&first, ATTEMPT_UNAVAILABLE));
	assert_int_equal(first.outcome, OUTCOME_UNAVAILABLE);
	assert_true(outcome_attempt(&later, ATTEMPT_LOST));
	assert_true(outcome_attempt(&later, ATTEMPT_UNAVAILABLE));
	assert_false(outcome_attempt(&later, ATTEMPT_DONE));
	assert_int_equal(later.outcome, OUTCOME_DONE);
	assert_true(outcome_attempt(&patient, ATTEMPT_UNAVAILABLE));
}

static void test_exit_statuses_are_the_documented_ones(void **state)
{
	(void)state;
	assert_int_equal(outcome_exit_status(OUTCOME_DONE), 0);
	assert_int_equal(outcome_exit_status(OUTCOME_REFUSED), 3);
	assert_int_equal(outcome_exit_status(OUTCOME_UNAVAILABLE), 4);
	assert_int_equal(outcome_exit_status(OUTCOME_UNKNOWN), 5);
	assert_string_equal(outcome_name(OUTCOME_UNKNOWN), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_doubt_stays),
		cmocka_unit_test(test_a_given_number_is_in_doubt),
		cmocka_unit_test(test_reads_are_never_unknown),
		cmocka_unit_test(test_without_a_number_nothing_is_asked_twice),
		cmocka_unit_test(test_unavailable_ends_unless_it_may_clear_a_doubt),
		cmocka_unit_test(test_exit_statuses_are_the_documented_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
