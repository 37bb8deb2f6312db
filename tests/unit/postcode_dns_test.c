/* Postcode checks while a name server is silent: the loop goes on, orders are told in time, and a shutdown waits for
 * nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_postcode_check.h"
#include "support_scratch.h"

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
	char resolv[SCRATCH_PATH_SIZE + 32], nsswitch[SCRATCH_PATH_SIZE + 32];
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
	order_asks(checker, "DH1 3LE", &outcomes[0]);
	order_asks(checker, "DH1 3LG", &outcomes[1]);
	while (outcomes[0].answers_count == 0 || outcomes[1].answers_count == 0)
		event_base_loop(base, EVLOOP_ONCE);
	bool told = outcomes[0].verdict == POSTCODE_FORMAT_ONLY && outcomes[1].verdict == POSTCODE_FORMAT_ONLY;
	int ticks_count = ticker.ticks_count;
	/* A shutdown in the middle of a question, and one after it. */
	order_asks(left, "DH1 3LE", &under_way);
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
	char directory[SCRATCH_PATH_SIZE];
	int status;

	(void)state;
	scratch_new(directory);
	pid_t child = fork();
	if (child == 0) {
		/* _exit: what the resolver's threads still hold is not ours to free. */
		alarm(GUARD_S);
		_exit(enter_silent_world(directory) ? ask_in_silent_world(event_base_new()) : 77);
	}
	waitpid(child, &status, 0);
	scratch_remove(directory);
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
		cmocka_unit_test(test_silent_name_server),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
