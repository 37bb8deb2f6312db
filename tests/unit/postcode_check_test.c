/* Checks against providers that behave well and badly: what an order is told, how often a provider is asked, how long
 * a dead one is waited for, and that the loop continues meanwhile. A silent name server is in postcode_dns_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "server/shop/postcode_breaker.h"
#include "support_postcode_check.h"
#include "support_slow_clock.h"

/* Time passes when a test says so: nothing is late because the machine is slow. Waits are for events. */

/* The time of a provider that has the question and is silent is over; another one still has its own. */
static void silence(void)
{
	slow_clock_jump(DEADLINE_MS * 7 / 10);
}

static enum postcode_verdict verdict_after(struct postcode_checker *checker, const char *postcode, unsigned silences)
{
	unsigned long heard = questions();
	struct outcome outcome;

	order_asks(checker, postcode, &outcome);
	for (unsigned i = 0; i < silences; i++) {
		until_heard(heard + i + 1);
		assert_int_equal(outcome.answers_count, 0);
		silence();
	}
	wait_for(&outcome, 1);
	assert_int_equal(outcome.answers_count, 1);
	return outcome.verdict;
}

static void name_postcode(unsigned i, char postcode[static 16])
{
	static const char letters[] = "ABDEFGHJLN";

	snprintf(postcode, 16, "DH%u %u%c%c", i / 1000 % 10, i / 100 % 10, letters[i / 10 % 10], letters[i % 10]);
}

/* The result for an order for every behaviour of each provider: the first one decides when it gives one of its
 * documented answers, the second one can confirm and never refuse. silences: how many of the two never answer. */
static void test_every_behaviour(void **state)
{
	static const struct {
		const char *postcodes_io, *getthedata, *postcode;
		enum postcode_verdict automatic, strict;
		unsigned silences;
	} table[] = {
		{"/valid", "/silent", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/invalid", "/valid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID, 0},
		{"/missing", "/valid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID, 0},
		{"/terminated", "/valid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID, 0},
		{"/slow", "/invalid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/limited", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/broken", "/invalid", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/missing", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/terminated", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/truncated", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/notjson", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/redirect", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/redirect", "/invalid", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/oversized", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/wrongpath", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/another", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/empty", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/forbidden", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/webpage404", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/silent", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 1},
		{"/silent", "/slow", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS, 1},
		{"/silent", "/invalid", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 1},
		{"/silent", "/silent", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 2},
		{"/broken", "/limited", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/truncated", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/redirect", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/oversized", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/notjson", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/wrongpath", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/another", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/empty", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/webpage404", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/broken", "/valid", "BT1 1AA", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/valid", "/valid", "BT1 1AA", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		/* No provider has the forces' postcodes. */
		{"/invalid", "/invalid", "BF1 3AA", POSTCODE_FORMAT_ONLY, POSTCODE_UNCONFIRMED, 0},
		{"/missing", "/broken", "BF1 3AA", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
		{"/missing", "/valid", "BF1 3AA", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"/valid", "/silent", "BF1 3AA", POSTCODE_EXISTS, POSTCODE_EXISTS, 0},
		{"", "", "ZY1 1AA", POSTCODE_INVALID, POSTCODE_INVALID, 0},
		{"", "", "ZY3 1AA", POSTCODE_INVALID, POSTCODE_INVALID, 0},
		{"", "", "ZY5 1AA", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct postcode_checker *checker = checker_with(POSTCODE_AUTO, table[i].postcodes_io,
								table[i].getthedata);
		struct postcode_checker *strict = checker_with(POSTCODE_STRICT, table[i].postcodes_io,
							       table[i].getthedata);
		if (verdict_after(checker, table[i].postcode, table[i].silences) != table[i].automatic ||
		    verdict_after(strict, table[i].postcode, table[i].silences) != table[i].strict)
			fail_msg("postcodes.io %s, getthedata %s, %s", table[i].postcodes_io, table[i].getthedata,
				 table[i].postcode);
		postcode_checker_free(checker);
		postcode_checker_free(strict);
	}
}

/* No provider listens: both refuse at once, and no order waits for a deadline. */
static void test_no_provider_listens(void **state)
{
	struct postcode_options options = postcode_options_default();
	char error[256];

	(void)state;
	options.postcodes_io = "http://127.0.0.1:1";
	options.getthedata = "http://127.0.0.1:1";
	options.deadline_ms = GUARD_S * 1000;
	struct postcode_checker *checker = postcode_checker_new(provider.base, &options, error, sizeof(error));
	assert_non_null(checker);
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_FORMAT_ONLY);
	postcode_checker_free(checker);
}

static void test_bad_urls_are_found_at_the_start(void **state)
{
	struct postcode_options options = postcode_options_default();
	char error[256] = "";

	(void)state;
	options.getthedata = "gopher://somewhere";
	assert_null(postcode_checker_new(provider.base, &options, error, sizeof(error)));
	assert_non_null(strstr(error, "--getthedata"));
}

static void test_grammar_never_asks(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_GRAMMAR, "/invalid", "/invalid");
	unsigned long before[2], after[2];
	struct outcome outcome;

	(void)state;
	count_questions(&before[0], &before[1]);
	order_asks(checker, "DH1 3LE", &outcome);
	assert_true(outcome.at_once);
	assert_int_equal(outcome.verdict, POSTCODE_FORMAT_ONLY);
	linger(50);
	count_questions(&after[0], &after[1]);
	assert_memory_equal(before, after, sizeof(before));
	postcode_checker_free(checker);
}

/* Many orders to one postcode at the same moment are one question, and later ones are none; each is answered once. */
static void test_one_question_is_shared_and_remembered(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "", "/silent");
	static struct outcome outcomes[100];
	unsigned long before[2], after[2];

	(void)state;
	count_questions(&before[0], &before[1]);
	for (size_t i = 0; i < 100; i++)
		order_asks(checker, i % 2 ? "DH1 3LE" : "ZY1 1AA", &outcomes[i]);
	wait_for(outcomes, 100);
	linger(20);
	for (size_t i = 0; i < 100; i++) {
		assert_false(outcomes[i].at_once);
		assert_int_equal(outcomes[i].answers_count, 1);
		assert_int_equal(outcomes[i].verdict, i % 2 ? POSTCODE_EXISTS : POSTCODE_INVALID);
	}
	for (size_t i = 0; i < 2; i++) {
		order_asks(checker, i % 2 ? "DH1 3LE" : "ZY1 1AA", &outcomes[i]);
		assert_true(outcomes[i].at_once);
		assert_int_equal(outcomes[i].verdict, i % 2 ? POSTCODE_EXISTS : POSTCODE_INVALID);
	}
	count_questions(&after[0], &after[1]);
	assert_int_equal(after[0] - before[0], 2);
	assert_int_equal(after[1] - before[1], 0);
	postcode_checker_free(checker);
}

/* Both providers hang. The first order waits its deadline; the next ones are answered at once and cause no question. */
static void test_dead_providers_cost_one_order_one_deadline(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "/silent");
	struct outcome outcome;
	unsigned long before[2], after[2];

	(void)state;
	assert_int_equal(verdict_after(checker, "DH1 3LE", 2), POSTCODE_FORMAT_ONLY);
	count_questions(&before[0], &before[1]);
	for (unsigned i = 0; i < 10; i++) {
		char postcode[16];
		name_postcode(i, postcode);
		order_asks(checker, postcode, &outcome);
		assert_true(outcome.at_once);
		assert_int_equal(outcome.verdict, POSTCODE_FORMAT_ONLY);
	}
	linger(50);
	count_questions(&after[0], &after[1]);
	assert_memory_equal(before, after, sizeof(before));
	postcode_checker_free(checker);
}

/* The last primary's findings are not repeated: a postcode that was known to exist is not asked about, and where no
 * provider could be asked a moment ago no order waits; not even for probing the providers again. */
static void test_what_earlier_orders_say(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "/silent");
	struct outcome outcome;
	unsigned long heard = questions();

	(void)state;
	assert_true(postcode_wonders(checker, "DH1 3LE"));
	postcode_recall(checker, "DH1 3LE", POSTCODE_EXISTS);
	assert_false(postcode_wonders(checker, "DH1 3LE"));
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	postcode_recall(checker, "DH1 3LG", POSTCODE_FORMAT_ONLY);
	order_asks(checker, "DH1 3LG", &outcome);
	assert_true(outcome.at_once);
	assert_int_equal(outcome.verdict, POSTCODE_FORMAT_ONLY);
	linger(20);
	assert_int_equal(questions(), heard);
	slow_clock_jump(POSTCODE_BREAKER_PAUSE_MS + 1000);
	order_asks(checker, "DH1 3LG", &outcome);
	assert_true(outcome.at_once);
	assert_int_equal(outcome.verdict, POSTCODE_FORMAT_ONLY);
	until_heard(heard + 1);
	order_asks(checker, "DH1 3LG", &outcome);
	assert_true(outcome.at_once);
	postcode_checker_free(checker);

	/* A provider's own answer weighs more: an older order changes neither that answer nor whether it is asked. */
	checker = checker_with(POSTCODE_AUTO, "", "/silent");
	assert_int_equal(verdict_of(checker, "ZY1 1AA"), POSTCODE_INVALID);
	postcode_recall(checker, "ZY1 1AA", POSTCODE_EXISTS);
	assert_int_equal(verdict_of(checker, "ZY1 1AA"), POSTCODE_INVALID);
	postcode_recall(checker, "DH1 3LG", POSTCODE_FORMAT_ONLY);
	assert_int_equal(verdict_of(checker, "DH1 3LG"), POSTCODE_EXISTS);
	postcode_checker_free(checker);

	/* That no provider knew the forces' postcode says nothing about the providers. */
	checker = checker_with(POSTCODE_AUTO, "", "/silent");
	postcode_recall(checker, "BF1 3AA", POSTCODE_FORMAT_ONLY);
	assert_int_equal(verdict_of(checker, "ZY1 1AA"), POSTCODE_INVALID);
	postcode_checker_free(checker);
}

/* An order that arrived while the first one was waiting moves on together with it, and does not wait for a share of
 * its own. */
static void test_later_orders_move_on_too(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "");
	struct outcome outcomes[2];

	(void)state;
	unsigned long heard = questions();
	order_asks(checker, "DH1 3LE", &outcomes[0]);
	until_heard(heard + 1);
	slow_clock_jump(DEADLINE_MS / 2);
	order_asks(checker, "DH1 3LG", &outcomes[1]);
	until_heard(heard + 2);
	assert_int_equal(outcomes[0].answers_count, 0);
	/* The first one's share is over; the second one's would last until after the guard. */
	slow_clock_jump(DEADLINE_MS * 2 / 10);
	wait_for(outcomes, 2);
	assert_int_equal(outcomes[0].verdict, POSTCODE_EXISTS);
	assert_int_equal(outcomes[1].verdict, POSTCODE_EXISTS);
	postcode_checker_free(checker);
}

/* Only postcodes.io hangs: after one order has waited for it, getthedata.com is asked directly. */
static void test_a_dead_first_provider_is_left_out(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "");
	unsigned long before[2], after[2];

	(void)state;
	assert_int_equal(verdict_after(checker, "DH1 3LE", 1), POSTCODE_EXISTS);
	count_questions(&before[0], &before[1]);
	assert_int_equal(verdict_of(checker, "DH1 3LG"), POSTCODE_EXISTS);
	assert_int_equal(verdict_of(checker, "ZY1 1AA"), POSTCODE_FORMAT_ONLY);
	count_questions(&after[0], &after[1]);
	assert_int_equal(after[0] - before[0], 0);
	assert_int_equal(after[1] - before[1], 2);
	postcode_checker_free(checker);
}

/* Invalid answers: a few are tolerated, then the provider is not asked for a while. */
static void test_failures_in_a_row_open_the_breaker(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/broken", "/limited");
	unsigned long before[2], after[2];

	(void)state;
	count_questions(&before[0], &before[1]);
	for (unsigned i = 0; i < 20; i++) {
		char postcode[16];
		name_postcode(i, postcode);
		assert_int_equal(verdict_of(checker, postcode), POSTCODE_FORMAT_ONLY);
	}
	count_questions(&after[0], &after[1]);
	assert_int_equal(after[0] - before[0], 3);
	assert_int_equal(after[1] - before[1], 3);
	postcode_checker_free(checker);
}

/* When both providers were dead and may be probed: an order that needs the answer waits for the probe, others do
 * not. */
static void test_which_orders_wait_for_a_probe(void **state)
{
	static const enum postcode_mode modes[] = {POSTCODE_STRICT, POSTCODE_AUTO};
	static const char *const postcodes[] = {"DH1 1AA", "DH1 1AB", "DH1 1AD", "DH1 1AE"};
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		enum postcode_verdict unknown = i ? POSTCODE_FORMAT_ONLY : POSTCODE_UNREACHABLE;
		struct postcode_checker *checker = checker_with(modes[i], "/broken", "/broken");

		for (size_t k = 0; k < 3; k++)
			assert_int_equal(verdict_of(checker, postcodes[k]), unknown);
		order_asks(checker, postcodes[3], &outcome);
		assert_true(outcome.at_once);
		assert_int_equal(outcome.verdict, unknown);
		slow_clock_jump(POSTCODE_BREAKER_PAUSE_MS + 1000);
		order_asks(checker, postcodes[3], &outcome);
		assert_int_equal(outcome.at_once, modes[i] == POSTCODE_AUTO);
		wait_for(&outcome, 1);
		assert_int_equal(outcome.verdict, unknown);
		postcode_checker_free(checker);
	}
}

/* "I do not know" is an answer: a provider that gives it is asked again. */
static void test_not_knowing_is_no_failure(void **state)
{
	static const char *const northern[] = {"BT1 1AA", "BT1 1AB", "BT1 1AD", "BT1 1AE", "BT1 1AF"};
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/broken", "");

	(void)state;
	for (size_t i = 0; i < sizeof northern / sizeof *northern; i++)
		assert_int_equal(verdict_of(checker, northern[i]), POSTCODE_FORMAT_ONLY);
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	postcode_checker_free(checker);
}

/* Full is an answer: neither postcodes nor waiting orders are accepted without limit, and each accepted one gets its
 * answer. */
static void test_bounded(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "/silent");
	struct outcome *outcomes = calloc(LIMIT_POSTCODE_WAITERS + 3, sizeof(*outcomes));
	unsigned long heard = questions();
	char postcode[16];
	size_t used = 0;

	(void)state;
	assert_non_null(outcomes);
	for (unsigned i = 0; i < LIMIT_POSTCODE_CHECKS; i++) {
		name_postcode(i, postcode);
		order_asks(checker, postcode, &outcomes[used++]);
		assert_false(outcomes[i].at_once);
	}
	name_postcode(LIMIT_POSTCODE_CHECKS, postcode);
	order_asks(checker, postcode, &outcomes[used]);
	assert_true(outcomes[used].at_once);
	assert_int_equal(outcomes[used++].verdict, POSTCODE_BUSY);
	name_postcode(7, postcode);
	while (used <= LIMIT_POSTCODE_WAITERS) {
		order_asks(checker, postcode, &outcomes[used]);
		assert_false(outcomes[used++].at_once);
	}
	order_asks(checker, postcode, &outcomes[used]);
	assert_true(outcomes[used].at_once);
	assert_int_equal(outcomes[used++].verdict, POSTCODE_BUSY);
	until_heard(heard + LIMIT_POSTCODE_CONNECTIONS);
	silence();
	until_heard(heard + LIMIT_POSTCODE_CONNECTIONS + 1);
	silence();
	wait_for(outcomes, used);
	linger(20);
	for (size_t i = 0; i < used; i++)
		assert_int_equal(outcomes[i].answers_count, 1);
	/* All places are free again. */
	name_postcode(1, postcode);
	order_asks(checker, postcode, &outcomes[used]);
	assert_int_equal(outcomes[used].verdict, POSTCODE_FORMAT_ONLY);
	postcode_checker_free(checker);
	free(outcomes);
}

struct again {
	struct postcode_checker *checker;
	struct outcome first, same, other;
};

static void ask_again(void *context, enum postcode_verdict verdict)
{
	struct again *again = context;

	order_answered(&again->first, verdict);
	order_asks(again->checker, "DH1 3LE", &again->same);
	order_asks(again->checker, "DH1 3LG", &again->other);
}

/* An order that is answered may cause the next question at once, from within the call-back. */
static void test_asking_from_within_an_answer(void **state)
{
	struct again again = {.checker = checker_with(POSTCODE_AUTO, "", "")};

	(void)state;
	assert_false(postcode_check(again.checker, "DH1 3LE", &again.first.verdict, ask_again, &again));
	wait_for(&again.first, 1);
	wait_for(&again.other, 1);
	assert_true(again.same.at_once);
	assert_int_equal(again.same.verdict, POSTCODE_EXISTS);
	assert_false(again.other.at_once);
	assert_int_equal(again.other.verdict, POSTCODE_EXISTS);
	postcode_checker_free(again.checker);
}

static unsigned count_answers(const struct outcome *outcomes, size_t size)
{
	unsigned count = 0;

	for (size_t i = 0; i < size; i++)
		count += (unsigned)outcomes[i].answers_count;
	return count;
}

/* Checks under way are dropped without an answer, and nothing of them is left: before anything was sent, while all are
 * waited for, and while answers arrive. */
static void test_freed_while_asking(void **state)
{
	static const char *const providers[] = {"/silent", "/silent", "/slow"};
	struct outcome outcomes[20];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		int events = event_base_get_num_events(provider.base, EVENT_BASE_COUNT_ADDED);
		struct postcode_checker *checker = checker_within(GUARD_S * 1000, POSTCODE_AUTO, providers[round], "");
		unsigned long heard = questions();

		for (unsigned i = 0; i < 20; i++) {
			char postcode[16];
			name_postcode(i / 2, postcode);
			order_asks(checker, postcode, &outcomes[i]);
		}
		if (round > 0)
			until_heard(heard + 10);
		unsigned answers = count_answers(outcomes, 20);
		assert_true(answers == 0 || round == 2); /* how many slow ones have arrived depends on the machine */
		postcode_checker_free(checker);
		assert_int_equal(event_base_get_num_events(provider.base, EVENT_BASE_COUNT_ADDED), events);
		linger(100);
		assert_int_equal(count_answers(outcomes, 20), answers);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_behaviour),
		cmocka_unit_test(test_no_provider_listens),
		cmocka_unit_test(test_bad_urls_are_found_at_the_start),
		cmocka_unit_test(test_grammar_never_asks),
		cmocka_unit_test(test_one_question_is_shared_and_remembered),
		cmocka_unit_test(test_dead_providers_cost_one_order_one_deadline),
		cmocka_unit_test(test_what_earlier_orders_say),
		cmocka_unit_test(test_later_orders_move_on_too),
		cmocka_unit_test(test_a_dead_first_provider_is_left_out),
		cmocka_unit_test(test_failures_in_a_row_open_the_breaker),
		cmocka_unit_test(test_which_orders_wait_for_a_probe),
		cmocka_unit_test(test_not_knowing_is_no_failure),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_asking_from_within_an_answer),
		cmocka_unit_test(test_freed_while_asking),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, start_provider, stop_provider);
}
