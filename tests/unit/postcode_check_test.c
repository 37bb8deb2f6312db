/* Checks against providers that behave well and badly: what an order is told, how often anybody is asked, how long a
 * dead provider is waited for, and that the loop goes on meanwhile, also while a name server is silent. The
 * providers are played by tests/integration/postcode_provider, whose head says what each base URL makes of a
 * question. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <libgen.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/limits.h"
#include "server/postcode_check.h"

#define DEADLINE_MS 800u
#define GUARD_S 60 /* a test that waits this long has hung */

static struct {
	pid_t pid;
	int input;
	int port;
	struct event_base *base;
	struct event *pulse; /* something happens every few milliseconds, so that no turn of the loop lasts */
} fixture;

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static _Noreturn void run_provider(int input, int output)
{
	char self[512];
	char path[600];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[size > 0 ? size : 0] = '\0';
	snprintf(path, sizeof(path), "%s/../integration/postcode_provider", dirname(self));
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	execl(path, "postcode_provider", "--slow-ms", "50", (char *)NULL);
	fprintf(stderr, "cannot run %s: build the target postcode_provider\n", path);
	_exit(1);
}

static void on_pulse(evutil_socket_t nothing, short what, void *context)
{
	(void)nothing;
	(void)what;
	(void)context;
}

static int start_provider(void **state)
{
	struct timeval often = {.tv_usec = 2000};
	int input[2], output[2];
	char line[64] = "";

	(void)state;
	if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC))
		return -1;
	fixture.pid = fork();
	if (fixture.pid == 0)
		run_provider(input[0], output[1]);
	close(input[0]);
	close(output[1]);
	fixture.input = input[1];
	for (size_t size = 0; size < sizeof(line) - 1 && !strchr(line, '\n'); size++)
		if (read(output[0], line + size, 1) != 1)
			break;
	close(output[0]);
	fixture.base = event_base_new();
	fixture.pulse = event_new(fixture.base, -1, EV_PERSIST, on_pulse, NULL);
	event_add(fixture.pulse, &often);
	return sscanf(line, "port %d", &fixture.port) == 1 ? 0 : -1;
}

static int stop_provider(void **state)
{
	int status;

	(void)state;
	event_free(fixture.pulse);
	event_base_free(fixture.base);
	close(fixture.input); /* which ends it */
	waitpid(fixture.pid, &status, 0);
	return status == 0 ? 0 : -1;
}

/* Questions that both providers have been asked so far. */
static void count(unsigned long *postcodes_io, unsigned long *getthedata)
{
	static const char request[] = "GET /count HTTP/1.0\r\n\r\n";
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)fixture.port)};
	char text[1024] = "";
	size_t size = 0;
	ssize_t got;
	int connection = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(connection, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(write(connection, request, sizeof(request) - 1), sizeof(request) - 1);
	while ((got = read(connection, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)got;
	close(connection);
	char *body = strstr(text, "{\"postcodes_io\"");
	assert_non_null(body);
	assert_int_equal(sscanf(body, "{\"postcodes_io\":%lu,\"getthedata\":%lu}", postcodes_io, getthedata), 2);
}

static struct postcode_checker *checker_with(enum postcode_mode mode, const char *postcodes_io, const char *getthedata)
{
	struct postcode_options options = postcode_options_default();
	char first[128], second[128], error[256] = "";

	snprintf(first, sizeof(first), "http://127.0.0.1:%d%s", fixture.port, postcodes_io);
	snprintf(second, sizeof(second), "http://127.0.0.1:%d%s", fixture.port, getthedata);
	options.mode = mode;
	options.postcodes_io = first;
	options.getthedata = second;
	options.deadline_ms = DEADLINE_MS;
	struct postcode_checker *checker = postcode_checker_new(fixture.base, &options, error, sizeof(error));
	if (!checker)
		fail_msg("%s", error);
	return checker;
}

struct outcome {
	int answers_count;
	bool at_once;
	enum postcode_verdict verdict;
	int64_t at_us;
};

static void on_answered(void *context, enum postcode_verdict verdict)
{
	struct outcome *outcome = context;

	outcome->answers_count++;
	outcome->verdict = verdict;
	outcome->at_us = now_us();
}

static void ask(struct postcode_checker *checker, const char *postcode, struct outcome *outcome)
{
	*outcome = (struct outcome){0};
	outcome->at_once = postcode_check(checker, postcode, &outcome->verdict, on_answered, outcome);
	if (outcome->at_once)
		on_answered(outcome, outcome->verdict);
}

/* Runs the loop until all have their answer. The fixture's pulse ends each turn. */
static void wait_for(const struct outcome *outcomes, size_t size)
{
	int64_t end_us = now_us() + GUARD_S * INT64_C(1000000);

	for (size_t i = 0; i < size; i++) {
		while (outcomes[i].answers_count == 0) {
			assert_true(now_us() < end_us);
			event_base_loop(fixture.base, EVLOOP_ONCE);
		}
	}
}

/* Lets the loop go on for a while: what should not come has had its time to come. */
static void linger(unsigned ms)
{
	int64_t end_us = now_us() + ms * INT64_C(1000);

	while (now_us() < end_us)
		event_base_loop(fixture.base, EVLOOP_ONCE);
}

static enum postcode_verdict verdict_of(struct postcode_checker *checker, const char *postcode)
{
	struct outcome outcome;

	ask(checker, postcode, &outcome);
	wait_for(&outcome, 1);
	assert_int_equal(outcome.answers_count, 1);
	return outcome.verdict;
}

static void name_postcode(unsigned i, char postcode[static 16])
{
	static const char letters[] = "ABDEFGHJLN";

	snprintf(postcode, 16, "DH%u %u%c%c", i / 1000 % 10, i / 100 % 10, letters[i / 10 % 10], letters[i % 10]);
}

/* What an order is told for every way in which each provider can behave. */
static void test_every_behaviour(void **state)
{
	static const struct {
		const char *postcodes_io, *getthedata, *postcode;
		enum postcode_verdict automatic, strict;
	} table[] = {
		{"/valid", "/silent", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS},
		{"/invalid", "/valid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/missing", "/valid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/terminated", "/valid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/slow", "/invalid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS},
		{"/limited", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS},
		{"/broken", "/invalid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/truncated", "/invalid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/notjson", "/invalid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/redirect", "/invalid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/oversized", "/invalid", "DH1 3LE", POSTCODE_INVALID, POSTCODE_INVALID},
		{"/wrongpath", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS},
		{"/silent", "/valid", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS},
		{"/silent", "/slow", "DH1 3LE", POSTCODE_EXISTS, POSTCODE_EXISTS},
		{"/silent", "/silent", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/broken", "/limited", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/broken", "/truncated", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/broken", "/redirect", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/broken", "/oversized", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/broken", "/notjson", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/broken", "/wrongpath", "DH1 3LE", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/broken", "/valid", "BT1 1AA", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
		{"/valid", "/valid", "BT1 1AA", POSTCODE_EXISTS, POSTCODE_EXISTS},
		{"", "", "ZY1 1AA", POSTCODE_INVALID, POSTCODE_INVALID},
		{"", "", "ZY3 1AA", POSTCODE_INVALID, POSTCODE_INVALID},
		{"", "", "ZY5 1AA", POSTCODE_FORMAT_ONLY, POSTCODE_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct postcode_checker *checker = checker_with(POSTCODE_AUTO, table[i].postcodes_io,
								table[i].getthedata);
		struct postcode_checker *strict = checker_with(POSTCODE_STRICT, table[i].postcodes_io,
							       table[i].getthedata);
		if (verdict_of(checker, table[i].postcode) != table[i].automatic ||
		    verdict_of(strict, table[i].postcode) != table[i].strict)
			fail_msg("postcodes.io %s, getthedata %s", table[i].postcodes_io, table[i].getthedata);
		postcode_checker_free(checker);
		postcode_checker_free(strict);
	}
}

/* Nobody listens: both are refused at once, and nobody waits for a deadline. */
static void test_nobody_listens(void **state)
{
	struct postcode_options options = postcode_options_default();
	char error[256];

	(void)state;
	options.postcodes_io = "http://127.0.0.1:1";
	options.getthedata = "http://127.0.0.1:1";
	options.deadline_ms = GUARD_S * 1000;
	struct postcode_checker *checker = postcode_checker_new(fixture.base, &options, error, sizeof(error));
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
	assert_null(postcode_checker_new(fixture.base, &options, error, sizeof(error)));
	assert_non_null(strstr(error, "--getthedata"));
}

static void test_grammar_never_asks(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_GRAMMAR, "/invalid", "/invalid");
	unsigned long before[2], after[2];
	struct outcome outcome;

	(void)state;
	count(&before[0], &before[1]);
	ask(checker, "DH1 3LE", &outcome);
	assert_true(outcome.at_once);
	assert_int_equal(outcome.verdict, POSTCODE_FORMAT_ONLY);
	linger(50);
	count(&after[0], &after[1]);
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
	count(&before[0], &before[1]);
	for (size_t i = 0; i < 100; i++)
		ask(checker, i % 2 ? "DH1 3LE" : "ZY1 1AA", &outcomes[i]);
	wait_for(outcomes, 100);
	linger(20);
	for (size_t i = 0; i < 100; i++) {
		assert_false(outcomes[i].at_once);
		assert_int_equal(outcomes[i].answers_count, 1);
		assert_int_equal(outcomes[i].verdict, i % 2 ? POSTCODE_EXISTS : POSTCODE_INVALID);
	}
	for (size_t i = 0; i < 2; i++) {
		ask(checker, i % 2 ? "DH1 3LE" : "ZY1 1AA", &outcomes[i]);
		assert_true(outcomes[i].at_once);
		assert_int_equal(outcomes[i].verdict, i % 2 ? POSTCODE_EXISTS : POSTCODE_INVALID);
	}
	count(&after[0], &after[1]);
	assert_int_equal(after[0] - before[0], 2);
	assert_int_equal(after[1] - before[1], 0);
	postcode_checker_free(checker);
}

/* Both providers hang. The first order waits its deadline; the next ones are answered at once and reach nobody. */
static void test_dead_providers_cost_one_order_one_deadline(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "/silent");
	struct outcome outcome;
	unsigned long before[2], after[2];
	int64_t start_us = now_us();

	(void)state;
	ask(checker, "DH1 3LE", &outcome);
	wait_for(&outcome, 1);
	assert_true(outcome.at_us - start_us >= DEADLINE_MS * 1000 * 9 / 10);
	count(&before[0], &before[1]);
	for (unsigned i = 0; i < 10; i++) {
		char postcode[16];
		name_postcode(i, postcode);
		ask(checker, postcode, &outcome);
		assert_true(outcome.at_once);
		assert_int_equal(outcome.verdict, POSTCODE_FORMAT_ONLY);
	}
	linger(50);
	count(&after[0], &after[1]);
	assert_memory_equal(before, after, sizeof(before));
	postcode_checker_free(checker);
}

/* What the last primary found out is not found out again: a postcode that was known to exist is not asked about, and
 * where nobody could be asked a moment ago no order waits; not for trying the providers again, either. */
static void test_what_earlier_orders_say(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "/silent");
	struct outcome outcome;
	unsigned long before[2], after[2];
	int64_t start_us = now_us();

	(void)state;
	count(&before[0], &before[1]);
	assert_true(postcode_wonders(checker, "DH1 3LE"));
	postcode_recall(checker, "DH1 3LE", POSTCODE_EXISTS);
	assert_false(postcode_wonders(checker, "DH1 3LE"));
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	postcode_recall(checker, "DH1 3LG", POSTCODE_FORMAT_ONLY);
	do {
		ask(checker, "DH1 3LG", &outcome);
		assert_true(outcome.at_once);
		assert_int_equal(outcome.verdict, POSTCODE_FORMAT_ONLY);
		linger(20);
		count(&after[0], &after[1]);
		assert_true(now_us() - start_us < GUARD_S * 1000000ll);
	} while (after[0] == before[0]);
	ask(checker, "DH1 3LG", &outcome);
	assert_true(outcome.at_once);
	postcode_checker_free(checker);
}

/* An order that came while the first one was waiting goes on together with it, and does not wait out a share of its
 * own. */
static void test_those_who_came_later_move_on_too(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "");
	struct outcome outcomes[2];

	(void)state;
	ask(checker, "DH1 3LE", &outcomes[0]);
	int64_t first_us = now_us();
	linger(DEADLINE_MS / 2);
	ask(checker, "DH1 3LG", &outcomes[1]);
	int64_t later_us = now_us() - first_us;
	assert_int_equal(outcomes[0].answers_count, 0);
	wait_for(outcomes, 2);
	assert_int_equal(outcomes[0].verdict, POSTCODE_EXISTS);
	assert_int_equal(outcomes[1].verdict, POSTCODE_EXISTS);
	assert_true(outcomes[1].at_us - outcomes[0].at_us < later_us / 2);
	postcode_checker_free(checker);
}

/* Only postcodes.io hangs: after one order has paid for it, getthedata.com is asked directly. */
static void test_a_dead_first_provider_is_left_out(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "");
	unsigned long before[2], after[2];

	(void)state;
	assert_int_equal(verdict_of(checker, "DH1 3LE"), POSTCODE_EXISTS);
	count(&before[0], &before[1]);
	assert_int_equal(verdict_of(checker, "DH1 3LG"), POSTCODE_EXISTS);
	assert_int_equal(verdict_of(checker, "ZY1 1AA"), POSTCODE_INVALID);
	count(&after[0], &after[1]);
	assert_int_equal(after[0] - before[0], 0);
	assert_int_equal(after[1] - before[1], 2);
	postcode_checker_free(checker);
}

/* Answers that are none: a few are borne, then the provider is left alone. */
static void test_failures_in_a_row_open_the_breaker(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/broken", "/limited");
	unsigned long before[2], after[2];

	(void)state;
	count(&before[0], &before[1]);
	for (unsigned i = 0; i < 20; i++) {
		char postcode[16];
		name_postcode(i, postcode);
		assert_int_equal(verdict_of(checker, postcode), POSTCODE_FORMAT_ONLY);
	}
	count(&after[0], &after[1]);
	assert_int_equal(after[0] - before[0], 3);
	assert_int_equal(after[1] - before[1], 3);
	postcode_checker_free(checker);
}

/* Full is an answer: neither postcodes nor waiting orders are taken without bound, and each that was taken gets its
 * answer. */
static void test_bounded(void **state)
{
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "/silent", "/silent");
	struct outcome *outcomes = calloc(LIMIT_POSTCODE_WAITERS + 2, sizeof(*outcomes));
	char postcode[16];
	size_t used = 0;

	(void)state;
	assert_non_null(outcomes);
	for (unsigned i = 0; i < LIMIT_POSTCODE_CHECKS; i++) {
		name_postcode(i, postcode);
		ask(checker, postcode, &outcomes[used++]);
		assert_false(outcomes[i].at_once);
	}
	name_postcode(LIMIT_POSTCODE_CHECKS, postcode);
	ask(checker, postcode, &outcomes[used]);
	assert_true(outcomes[used].at_once);
	assert_int_equal(outcomes[used++].verdict, POSTCODE_BUSY);
	name_postcode(7, postcode);
	while (used <= LIMIT_POSTCODE_WAITERS) {
		ask(checker, postcode, &outcomes[used]);
		assert_false(outcomes[used++].at_once);
	}
	ask(checker, postcode, &outcomes[used]);
	assert_true(outcomes[used].at_once);
	assert_int_equal(outcomes[used++].verdict, POSTCODE_BUSY);
	wait_for(outcomes, used);
	linger(20);
	for (size_t i = 0; i < used; i++)
		assert_int_equal(outcomes[i].answers_count, 1);
	/* All places are free again. */
	name_postcode(1, postcode);
	ask(checker, postcode, &outcomes[0]);
	assert_int_equal(outcomes[0].verdict, POSTCODE_FORMAT_ONLY);
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

	on_answered(&again->first, verdict);
	ask(again->checker, "DH1 3LE", &again->same);
	ask(again->checker, "DH1 3LG", &again->other);
}

/* An order that is answered may lead to the next question at once, from within the call-back. */
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

/* Checks under way are forgotten without a word, and nothing of them is left behind. */
static void test_freed_while_asking(void **state)
{
	struct outcome outcomes[20];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct postcode_checker *checker = checker_with(POSTCODE_AUTO, round ? "/slow" : "/silent", "");
		for (unsigned i = 0; i < 20; i++) {
			char postcode[16];
			name_postcode(i / 2, postcode);
			ask(checker, postcode, &outcomes[i]);
		}
		linger(round * 20);
		postcode_checker_free(checker);
		linger(DEADLINE_MS);
		for (unsigned i = 0; i < 20; i++)
			assert_int_equal(outcomes[i].answers_count, 0);
	}
}

/* ---- a name server that never answers ---- */

static bool write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return false;
	fputs(text, file);
	return fclose(file) == 0;
}

/* In namespaces of our own: loopback only, our resolver configuration, and a name server that reads nothing. False: not
 * possible here. */
static bool enter_silent_world(const char *directory)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	char resolv[256], nsswitch[256];
	int server = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(resolv, sizeof(resolv), "%s/resolv.conf", directory);
	snprintf(nsswitch, sizeof(nsswitch), "%s/nsswitch.conf", directory);
	close(server);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0)
		return false;
	server = socket(AF_INET, SOCK_DGRAM, 0);
	inet_pton(AF_INET, "127.0.0.5", &address.sin_addr);
	return ioctl(server, SIOCSIFFLAGS, &loopback) == 0 &&
	       bind(server, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       write_file(resolv, "nameserver 127.0.0.5\noptions timeout:5 attempts:2\n") &&
	       write_file(nsswitch, "hosts: files dns\n") && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(resolv, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0 &&
	       mount(nsswitch, "/etc/nsswitch.conf", NULL, MS_BIND, NULL) == 0;
}

struct ticker {
	struct event *event;
	int64_t last_us;
	int64_t longest_us;
	int ticks_count;
};

static void on_tick(evutil_socket_t nothing, short what, void *context)
{
	struct ticker *ticker = context;
	int64_t now = now_us();

	(void)nothing;
	(void)what;
	if (now - ticker->last_us > ticker->longest_us)
		ticker->longest_us = now - ticker->last_us;
	ticker->last_us = now;
	ticker->ticks_count++;
}

/* The resolver gives up after 10 s; a loop that waits for it stands still that long, and one that does not has gaps
 * of the scheduler's making only. */
#define STANDSTILL_US 1000000

static int ask_in_silent_world(struct event_base *base)
{
	struct postcode_options options = postcode_options_default();
	struct timeval often = {.tv_usec = 1000};
	struct ticker ticker = {.last_us = now_us()};
	struct outcome outcomes[2] = {0}, under_way;
	char error[256];

	options.postcodes_io = "http://first.example";
	options.getthedata = "http://second.example";
	options.deadline_ms = DEADLINE_MS;
	struct postcode_checker *checker = postcode_checker_new(base, &options, error, sizeof(error));
	struct postcode_checker *left = postcode_checker_new(base, &options, error, sizeof(error));
	ticker.event = event_new(base, -1, EV_PERSIST, on_tick, &ticker);
	event_add(ticker.event, &often);
	ask(checker, "DH1 3LE", &outcomes[0]);
	ask(checker, "DH1 3LG", &outcomes[1]);
	while (outcomes[0].answers_count == 0 || outcomes[1].answers_count == 0)
		event_base_loop(base, EVLOOP_ONCE);
	bool told = outcomes[0].verdict == POSTCODE_FORMAT_ONLY && outcomes[1].verdict == POSTCODE_FORMAT_ONLY;
	int ticks_count = ticker.ticks_count;
	/* A shutdown in the middle of a question, and one after it. */
	ask(left, "DH1 3LE", &under_way);
	for (int i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_ONCE);
	postcode_checker_free(left);
	postcode_checker_free(checker);
	event_base_loop(base, EVLOOP_ONCE);
	on_tick(-1, 0, &ticker);
	fprintf(stderr, "silent name server: %d ticks of 1 ms in %u ms, longest turn %lld us, shutdown included\n",
		ticks_count, DEADLINE_MS, (long long)ticker.longest_us);
	if (!told || under_way.at_once || under_way.answers_count != 0)
		return 2;
	return ticker.longest_us < STANDSTILL_US && ticks_count > 20 ? 0 : 3;
}

static void test_silent_name_server(void **state)
{
	char directory[] = "/tmp/justhungry-dns-XXXXXX";
	int status;

	(void)state;
	assert_non_null(mkdtemp(directory));
	pid_t child = fork();
	if (child == 0) {
		/* _exit: what the resolver's threads still hold is not ours to free. */
		alarm(GUARD_S);
		_exit(enter_silent_world(directory) ? ask_in_silent_world(event_base_new()) : 77);
	}
	waitpid(child, &status, 0);
	char path[128];
	snprintf(path, sizeof(path), "%s/resolv.conf", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/nsswitch.conf", directory);
	unlink(path);
	rmdir(directory);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		fprintf(stderr, "no namespaces here (needs root): skipped\n");
		skip();
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_behaviour),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_bad_urls_are_found_at_the_start),
		cmocka_unit_test(test_grammar_never_asks),
		cmocka_unit_test(test_one_question_is_shared_and_remembered),
		cmocka_unit_test(test_dead_providers_cost_one_order_one_deadline),
		cmocka_unit_test(test_what_earlier_orders_say),
		cmocka_unit_test(test_those_who_came_later_move_on_too),
		cmocka_unit_test(test_a_dead_first_provider_is_left_out),
		cmocka_unit_test(test_failures_in_a_row_open_the_breaker),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_asking_from_within_an_answer),
		cmocka_unit_test(test_freed_while_asking),
		cmocka_unit_test(test_silent_name_server),
	};

	/* A proxy of the machine's is not what is tested here. */
	setenv("no_proxy", "*", 1);
	setenv("NO_PROXY", "*", 1);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, start_provider, stop_provider);
}
