#include "support_postcode_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct provider provider;

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

static void on_pulse(evutil_socket_t pulse, short what, void *context)
{
	uint64_t beats;

	(void)what;
	(void)context;
	assert_int_equal(read(pulse, &beats, sizeof beats), sizeof beats);
}

/* The kernel's timer ticks whatever the test makes of the clock. */
static void start_pulse(void)
{
	struct itimerspec often = {.it_interval.tv_nsec = 2000000, .it_value.tv_nsec = 2000000};

	provider.beat = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	assert_int_equal(timerfd_settime(provider.beat, 0, &often, NULL), 0);
	provider.pulse = event_new(provider.base, provider.beat, EV_READ | EV_PERSIST, on_pulse, NULL);
	event_add(provider.pulse, NULL);
}

int start_provider(void **state)
{
	int input[2], output[2];
	char line[64] = "";

	(void)state;
	if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC))
		return -1;
	provider.pid = fork();
	if (provider.pid == 0)
		run_provider(input[0], output[1]);
	close(input[0]);
	close(output[1]);
	provider.input = input[1];
	for (size_t size = 0; size < sizeof(line) - 1 && !strchr(line, '\n'); size++)
		if (read(output[0], line + size, 1) != 1)
			break;
	close(output[0]);
	provider.base = event_base_new();
	start_pulse();
	return sscanf(line, "port %d", &provider.port) == 1 ? 0 : -1;
}

int stop_provider(void **state)
{
	int status;

	(void)state;
	event_free(provider.pulse);
	close(provider.beat);
	event_base_free(provider.base);
	close(provider.input); /* which ends it */
	waitpid(provider.pid, &status, 0);
	return status == 0 ? 0 : -1;
}

void count_questions(unsigned long *postcodes_io, unsigned long *getthedata)
{
	static const char request[] = "GET /count HTTP/1.0\r\n\r\n";
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)provider.port)};
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

unsigned long questions(void)
{
	unsigned long postcodes_io, getthedata;

	count_questions(&postcodes_io, &getthedata);
	return postcodes_io + getthedata;
}

int64_t true_us(void)
{
	struct timespec now;

	assert_int_equal(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now), 0);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int64_t guard_us(void)
{
	return true_us() + GUARD_S * INT64_C(1000000);
}

void wait_for(const struct outcome *outcomes, size_t size)
{
	int64_t end_us = guard_us();

	for (size_t i = 0; i < size; i++) {
		while (outcomes[i].answers_count == 0) {
			assert_true(true_us() < end_us);
			event_base_loop(provider.base, EVLOOP_ONCE);
		}
	}
}

void until_heard(unsigned long count)
{
	int64_t end_us = guard_us();

	do {
		assert_true(true_us() < end_us);
		event_base_loop(provider.base, EVLOOP_ONCE);
	} while (questions() < count);
}

void linger(unsigned ms)
{
	int64_t end_us = true_us() + ms * INT64_C(1000);

	while (true_us() < end_us)
		event_base_loop(provider.base, EVLOOP_ONCE);
}

struct postcode_checker *checker_within(uint32_t deadline_ms, enum postcode_mode mode, const char *postcodes_io,
					const char *getthedata)
{
	struct postcode_options options = postcode_options_default();
	char first[128], second[128], error[256] = "";

	snprintf(first, sizeof(first), "http://127.0.0.1:%d%s", provider.port, postcodes_io);
	snprintf(second, sizeof(second), "http://127.0.0.1:%d%s", provider.port, getthedata);
	options.mode = mode;
	options.postcodes_io = first;
	options.getthedata = second;
	options.deadline_ms = deadline_ms;
	struct postcode_checker *checker = postcode_checker_new(provider.base, &options, error, sizeof(error));
	if (!checker)
		fail_msg("%s", error);
	return checker;
}

struct postcode_checker *checker_with(enum postcode_mode mode, const char *postcodes_io, const char *getthedata)
{
	return checker_within(DEADLINE_MS, mode, postcodes_io, getthedata);
}

void order_answered(void *context, enum postcode_verdict verdict)
{
	struct outcome *outcome = context;

	outcome->answers_count++;
	outcome->verdict = verdict;
	outcome->at_us = now_us();
}

void order_asks(struct postcode_checker *checker, const char *postcode, struct outcome *outcome)
{
	*outcome = (struct outcome){0};
	outcome->at_once = postcode_check(checker, postcode, &outcome->verdict, order_answered, outcome);
	if (outcome->at_once)
		order_answered(outcome, outcome->verdict);
}

enum postcode_verdict verdict_of(struct postcode_checker *checker, const char *postcode)
{
	struct outcome outcome;

	order_asks(checker, postcode, &outcome);
	wait_for(&outcome, 1);
	assert_int_equal(outcome.answers_count, 1);
	return outcome.verdict;
}

struct postcode_checker *checker_of(const struct postcode_options *options)
{
	char error[256] = "";
	struct postcode_checker *checker = postcode_checker_new(provider.base, options, error, sizeof error);

	if (!checker)
		fail_msg("%s", error);
	return checker;
}
