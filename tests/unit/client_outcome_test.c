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

/* How a sequence went. */
struct played {
	enum outcome outcome;
	bool doubt;         /* some attempt left one */
	enum attempt last;  /* the last attempt that was made, */
	bool last_was_void; /* a VOID */
	bool void_refused;  /* some VOID was refused for good: the request was executed */
	bool decided;
};

/* Plays the sequence that `code` spells in base KINDS. A VOID may be asked for only to end a doubt about a number of our
 * own, after a refusal, and not again once it was refused. */
static struct played play(enum request_kind kind, bool patient, unsigned int code)
{
	struct request_track track = outcome_begin(kind, patient);
	struct played played = {.outcome = OUTCOME_OPEN};

	for (int i = 0; i < LENGTH; i++, code /= KINDS) {
		bool goes_on;

		played.last = code % KINDS;
		played.last_was_void = track.voids;
		played.doubt |= leaves_doubt(played.last);
		goes_on = outcome_attempt(&track, played.last);
		played.void_refused |= played.last_was_void && played.last == ATTEMPT_REFUSED_FOR_GOOD;
		if (goes_on && track.voids && !played.last_was_void) {
			assert_int_equal(kind, REQUEST_WRITE);
			assert_int_equal(played.last, ATTEMPT_REFUSED);
			assert_true(played.doubt);
			assert_false(played.void_refused);
		}
		if (!goes_on) {
			assert_int_not_equal(track.outcome, OUTCOME_OPEN);
			break;
		}
		assert_int_equal(track.outcome, OUTCOME_OPEN);
	}
	played.outcome = outcome_give_up(&track);
	played.decided = track.decided;
	return played;
}

static unsigned int sequences(void)
{
	unsigned int count = 1;

	for (int i = 0; i < LENGTH; i++)
		count *= KINDS;
	return count;
}

/* Rule 12: once an attempt may have happened, nothing but an entry of the log ends the doubt: done, a refusal for good, or a
 * VOID that is done. */
static void test_a_doubt_stays(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < sequences(); code++)
		for (int patient = 0; patient < 2; patient++) {
			struct played played = play(REQUEST_WRITE, patient, code);
			bool decides = played.last == ATTEMPT_DONE ||
				       (played.last == ATTEMPT_REFUSED_FOR_GOOD && !played.last_was_void);

			assert_int_equal(played.decided, decides);
			if (played.last == ATTEMPT_DONE)
				assert_int_equal(played.outcome, played.last_was_void ? OUTCOME_REFUSED : OUTCOME_DONE);
			else if (decides)
				assert_int_equal(played.outcome, OUTCOME_REFUSED);
			else if (played.doubt)
				assert_int_equal(played.outcome, OUTCOME_UNKNOWN);
			else if (played.last == ATTEMPT_REFUSED)
				assert_int_equal(played.outcome, OUTCOME_REFUSED);
			else
				assert_int_equal(played.outcome, OUTCOME_UNAVAILABLE);
		}
}

/* Rule 12: what a VOID is refused says that the request was executed: the request is not refused, but asked again. */
static void test_a_refused_void_refuses_nothing(void **state)
{
	struct request_track track = outcome_begin(REQUEST_WRITE, false);

	(void)state;
	assert_true(outcome_attempt(&track, ATTEMPT_LOST));
	assert_true(outcome_attempt(&track, ATTEMPT_REFUSED));
	assert_true(track.voids);
	assert_true(outcome_attempt(&track, ATTEMPT_REFUSED_FOR_GOOD));
	assert_false(track.voids);
	assert_false(outcome_attempt(&track, ATTEMPT_DONE));
	assert_int_equal(track.outcome, OUTCOME_DONE);
}

/* Rule 12: a request whose number was given to the client begins in doubt. The first call may still be in transit, so
 * that "invalid postcode" is about this attempt alone; only an entry of the log ends the doubt. It is never made void by
 * itself: others may still repeat it. */
static void test_a_given_number_is_in_doubt(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < sequences(); code++) {
		struct played played = play(REQUEST_AGAIN, false, code);

		assert_false(played.last_was_void);
		if (played.last == ATTEMPT_DONE)
			assert_int_equal(played.outcome, OUTCOME_DONE);
		else if (played.last == ATTEMPT_REFUSED_FOR_GOOD)
			assert_int_equal(played.outcome, OUTCOME_REFUSED);
		else
			assert_int_equal(played.outcome, OUTCOME_UNKNOWN);
	}
}

/* Rule 12: the number of a request that was given to the client is never made void by itself. */
static void test_a_given_number_is_not_made_void(void **state)
{
	struct request_track track = outcome_begin(REQUEST_AGAIN, false);

	(void)state;
	assert_false(outcome_attempt(&track, ATTEMPT_REFUSED));
	assert_false(track.voids);
	assert_int_equal(track.outcome, OUTCOME_UNKNOWN);
}

/* A VOID that was asked for, and a write whose number is to be used again, are repeated and end like any write; but neither
 * has its number made void by itself. */
static void test_others_are_not_made_void(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < 2 * sequences(); code++) {
		struct played played = play(code % 2 ? REQUEST_VOID : REQUEST_KEPT, false, code / 2);

		assert_false(played.last_was_void);
		if (played.last == ATTEMPT_DONE)
			assert_int_equal(played.outcome, OUTCOME_DONE);
		else if (played.last == ATTEMPT_REFUSED_FOR_GOOD || (played.last == ATTEMPT_REFUSED && !played.doubt))
			assert_int_equal(played.outcome, OUTCOME_REFUSED);
		else
			assert_int_equal(played.outcome, played.doubt ? OUTCOME_UNKNOWN : OUTCOME_UNAVAILABLE);
	}
}

static void test_reads_are_never_unknown(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < sequences(); code++)
		assert_int_not_equal(play(REQUEST_READ, false, code).outcome, OUTCOME_UNKNOWN);
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
		cmocka_unit_test(test_a_refused_void_refuses_nothing),
		cmocka_unit_test(test_a_given_number_is_in_doubt),
		cmocka_unit_test(test_a_given_number_is_not_made_void),
		cmocka_unit_test(test_others_are_not_made_void),
		cmocka_unit_test(test_reads_are_never_unknown),
		cmocka_unit_test(test_without_a_number_nothing_is_asked_twice),
		cmocka_unit_test(test_unavailable_ends_unless_it_may_clear_a_doubt),
		cmocka_unit_test(test_exit_statuses_are_the_documented_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
