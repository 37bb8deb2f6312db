/* What is wrong with a provider: said once and in words, and over with one line; a connection that died while it was kept
 * is not the provider's fault; and no proxy is used that nobody named. */
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

#include "support_log.h"
#include "support_postcode_check.h"
#include "support_slow_clock.h"

/* --- kept connections --------------------------------------------------------------------------------------------- */

/* The first question leaves a connection, on which the next one is never answered: it is repeated once on a new one,
 * is answered, and does not count against the provider. */
static void test_a_kept_connection_that_died_in_silence(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_STRICT, "/deaf", "/broken");
	struct outcome outcome;

	(void)state;
	listen_to_log();
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	unsigned long heard = questions();
	order_asks(checker, "DH1 3LG", &outcome);
	until_heard(heard + 1);
	assert_int_equal(outcome.answers_count, 0);
	slow_clock_jump(POSTCODE_PATIENCE_MS + 10);
	wait_for(&outcome, 1);
	assert_int_equal(outcome.verdict, POSTCODE_EXISTS);
	assert_int_equal(questions(), heard + 2);
	assert_int_equal(lines_with("provider unreachable"), 0);
	postcode_checker_free(checker);
}

/* The same when it breaks in the middle of the answer. Without any kept connection that is the provider's failure. */
static void test_a_kept_connection_that_breaks(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_STRICT, "/worn", "/broken");

	(void)state;
	listen_to_log();
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	unsigned long heard = questions();
	assert_int_equal(verdict_of(checker, "DH1 3LG"), POSTCODE_EXISTS);
	assert_int_equal(questions(), heard + 2);
	assert_int_equal(lines_with("provider unreachable"), 0);
	postcode_checker_free(checker);

	checker = checker_with(POSTCODE_STRICT, "/truncated", "/valid");
	heard = questions();
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	assert_int_equal(questions(), heard + 2); /* one each */
	assert_said("provider=postcodes.io reason=broken-off");
	postcode_checker_free(checker);
}

/* Once more, and no more often: a provider that is silent on the new connection, too, has failed when its time is
 * over. */
static void test_only_once_more(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "", "/valid");
	struct outcome outcome;

	(void)state;
	listen_to_log();
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	unsigned long heard = questions();
	order_asks(checker, "ZY11 1AA", &outcome); /* silent */
	until_heard(heard + 1);
	slow_clock_jump(POSTCODE_PATIENCE_MS + 10);
	until_heard(heard + 2);
	assert_int_equal(outcome.answers_count, 0);
	slow_clock_jump(DEADLINE_MS / 2);
	wait_for(&outcome, 1);
	assert_int_equal(outcome.verdict, POSTCODE_EXISTS);
	assert_int_equal(questions(), heard + 3);
	assert_said("provider=postcodes.io reason=timeout");
	postcode_checker_free(checker);
}

/* --- log lines ---------------------------------------------------------------------------------------------------- */

/* Each kind of failure is named at its first occurrence, and one line says that it is over. */
static void test_every_failure_is_named(void **state)
{
	static const struct {
		const char *postcode, *said;
	} table[] = {
		{"ZY4 1AA", "reason=http-status url=http://127.0.0.1:%d why=\"HTTP 429\""},
		{"ZY5 1AA", "reason=http-status url=http://127.0.0.1:%d why=\"HTTP 500\""},
		{"ZY7 1AA", "reason=broken-off "},
		{"ZY8 1AA", "reason=not-an-answer url=http://127.0.0.1:%d why=\"the body is not JSON"},
		{"ZY9 1AA", "reason=redirect url=http://127.0.0.1:%d why=\"HTTP 302 to http://"},
		{"ZY10 1AA", "reason=too-large "},
		{"ZY12 1AA", "reason=not-an-answer url=http://127.0.0.1:%d why=\"HTTP 404 that says nothing"},
		{"ZY13 1AA", "reason=not-an-answer url=http://127.0.0.1:%d why=\"the answer is about another"},
		{"ZY14 1AA", "reason=http-status url=http://127.0.0.1:%d why=\"HTTP 204\""},
		{"ZY15 1AA", "reason=http-status url=http://127.0.0.1:%d why=\"HTTP 403\""},
		{"ZY16 1AA", "reason=not-an-answer url=http://127.0.0.1:%d why=\"the body is not JSON"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "", "/valid");
		char expected[256];

		listen_to_log();
		assert_int_equal(verdict_of(checker, table[i].postcode), POSTCODE_EXISTS);
		snprintf(expected, sizeof expected, "provider unreachable provider=postcodes.io ");
		assert_said(expected);
		snprintf(expected, sizeof expected, table[i].said, provider.port);
		assert_said(expected);
		assert_int_equal(lines_with("answers again"), 0);
		assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
		assert_int_equal(verdict_of(checker, "DH1 3LG"), POSTCODE_EXISTS);
		assert_int_equal(lines_with("provider answers again provider=postcodes.io"), 1);
		assert_int_equal(lines_with("\n"), 2);
		postcode_checker_free(checker);
		stop_listening(NULL);
	}
}

/* Ten orders that find both providers broken are two lines, not twenty. */
static void test_not_at_every_failure(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/broken", "/forbidden");
	char postcode[16];

	(void)state;
	listen_to_log();
	for (unsigned i = 0; i < 10; i++) {
		snprintf(postcode, sizeof postcode, "DH1 %uLE", i);
		assert_int_equal(verdict_of(checker, postcode), POSTCODE_FORMAT_ONLY);
		slow_clock_jump(60000);
	}
	assert_int_equal(lines_with("\n"), 2);
	assert_said("provider=getthedata.com reason=http-status");
	postcode_checker_free(checker);
}

static void test_refused_and_unresolved(void **state)
{
	struct postcode_options options = postcode_options_default();

	(void)state;
	listen_to_log();
	options.postcodes_io = "http://127.0.0.1:1";
	options.getthedata = "http://127.0.0.1:1";
	struct postcode_checker *checker = checker_of(&options);
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_FORMAT_ONLY);
	assert_said("provider=postcodes.io reason=no-connection url=http://127.0.0.1:1 why=\"");
	assert_said("Connection refused");
	postcode_checker_free(checker);
}

/* --- proxies ------------------------------------------------------------------------------------------------------ */

/* A proxy is used when named, never on this host, and a dead one is reported as that. 192.0.2.1 has no host. */
static void test_proxy(void **state)
{
	struct postcode_options options = postcode_options_default();
	char base[64];

	(void)state;
	listen_to_log();
	snprintf(base, sizeof base, "http://127.0.0.1:%d", provider.port);
	options.postcodes_io = "http://192.0.2.1";
	options.getthedata = "http://192.0.2.1";
	options.proxy = base; /* the provider, which answers whatever host is requested */
	struct postcode_checker *checker = checker_of(&options);
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	assert_int_equal(verdict_of(checker, "ZY1 1AA"), POSTCODE_INVALID);
	postcode_checker_announce(checker);
	assert_said("postcodes are sent to http://192.0.2.1 proxy=http://127.0.0.1:");
	postcode_checker_free(checker);

	options.proxy = "http://me:secret@127.0.0.1:1";
	checker = checker_of(&options);
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_FORMAT_ONLY);
	assert_said("provider=postcodes.io reason=proxy");
	postcode_checker_announce(checker);
	assert_int_equal(lines_with("secret"), 0);
	postcode_checker_free(checker);

	options.postcodes_io = base;
	checker = checker_of(&options);
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	postcode_checker_free(checker);
}

static void set_proxies(const char *url)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (url)
			setenv(names[i], url, 1);
		else
			unsetenv(names[i]);
}

/* The environment's proxy is not used, neither for this host nor for others, and a log line says so. */
static void test_no_proxy_of_the_environment(void **state)
{
	struct postcode_options options = postcode_options_default();
	struct outcome outcome;
	char base[64];

	(void)state;
	listen_to_log();
	snprintf(base, sizeof base, "http://127.0.0.1:%d", provider.port);
	set_proxies("http://127.0.0.1:1");
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/valid", "/broken");
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	postcode_checker_announce(checker);
	assert_int_equal(lines_with("environment"), 0);
	postcode_checker_free(checker);

	set_proxies(base);
	options.postcodes_io = "http://192.0.2.1";
	options.getthedata = "http://192.0.2.1";
	checker = checker_of(&options);
	postcode_checker_announce(checker);
	assert_said("http_proxy of the environment is not used");
	unsigned long heard = questions();
	order_asks(checker, "DH1 3LE", &outcome);
	for (int i = 0; i < 50 && outcome.answers_count == 0; i++)
		event_base_loop(provider.base, EVLOOP_ONCE);
	assert_int_equal(questions(), heard);
	assert_true(outcome.answers_count == 0 || outcome.verdict == POSTCODE_FORMAT_ONLY);
	postcode_checker_free(checker);
	set_proxies(NULL);
}

static void test_bad_proxies(void **state)
{
	static const char *const bad[] = {"", "proxy", "proxy:3128", "ftp://proxy", "http://", "http://p/path", "http://p?a=b"};
	struct postcode_options options = postcode_options_default();
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		options.proxy = bad[i];
		error[0] = '\0';
		if (postcode_checker_new(provider.base, &options, error, sizeof error))
			fail_msg("\"%s\" is accepted", bad[i]);
		assert_ptr_equal(strstr(error, "--postcode-proxy "), error);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_a_kept_connection_that_died_in_silence, stop_listening),
		cmocka_unit_test_teardown(test_a_kept_connection_that_breaks, stop_listening),
		cmocka_unit_test_teardown(test_only_once_more, stop_listening),
		cmocka_unit_test_teardown(test_every_failure_is_named, stop_listening),
		cmocka_unit_test_teardown(test_not_at_every_failure, stop_listening),
		cmocka_unit_test_teardown(test_refused_and_unresolved, stop_listening),
		cmocka_unit_test_teardown(test_proxy, stop_listening),
		cmocka_unit_test_teardown(test_no_proxy_of_the_environment, stop_listening),
		cmocka_unit_test(test_bad_proxies),
	};

	set_proxies(NULL);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, start_provider, stop_provider);
}
