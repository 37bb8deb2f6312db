/* Postcode checks while a name server is silent: the loop continues, orders are answered in time, and a shutdown does
 * not wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
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

/* In namespaces of our own: loopback only, our resolver configuration, and a name server that reads nothing. False:
 * not possible here. */
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
	       write_file(resolv, "nameserver 127.0.0.5\noptions timeout:30 attempts:5\n") &&
	       write_file(nsswitch, "hosts: files dns\n") && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(resolv, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0 &&
	       mount(nsswitch, "/etc/nsswitch.conf", NULL, MS_BIND, NULL) == 0;
}

static void on_tick(evutil_socket_t nothing, short what, void *context)
{
	int *ticks_count = context;

	(void)nothing;
	(void)what;
	++*ticks_count;
}

/* Threads of this process: the loop's, and one for each name that is still being resolved. */
static int threads_count(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;

	for (struct dirent *task; tasks && (task = readdir(tasks));)
		count += task->d_name[0] != '.';
	if (tasks)
		closedir(tasks);
	return count;
}

/* A question is under way, and the loop runs. */
static bool goes_on(struct event_base *base, struct postcode_checker *checker, struct outcome *outcome)
{
	struct timeval often = {.tv_usec = 1000};
	int ticks_count = 0;
	struct event *event = event_new(base, -1, EV_PERSIST, on_tick, &ticks_count);

	event_add(event, &often);
	order_asks(checker, "DH1 3LE", outcome);
	while (ticks_count < 50)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(event);
	return !outcome->at_once && outcome->answers_count == 0;
}

static bool orders_are_told(struct event_base *base, struct postcode_checker *checker)
{
	struct outcome outcomes[2];

	order_asks(checker, "DH1 3LE", &outcomes[0]);
	order_asks(checker, "DH1 3LG", &outcomes[1]);
	while (outcomes[0].answers_count == 0 || outcomes[1].answers_count == 0)
		event_base_loop(base, EVLOOP_ONCE);
	return outcomes[0].verdict == POSTCODE_FORMAT_ONLY && outcomes[1].verdict == POSTCODE_FORMAT_ONLY;
}

/* No time is measured. The resolver gives up long after the guard has ended a process that waits for it; one that did
 * not wait gets here while its threads still run. Returns what went wrong; 0: nothing. */
static int ask_in_silent_world(struct event_base *base)
{
	struct postcode_options options = postcode_options_default();
	struct outcome under_way;
	char error[256];

	options.postcodes_io = "http://first.example";
	options.getthedata = "http://second.example";
	options.deadline_ms = 2 * GUARD_S * 1000;
	struct postcode_checker *patient = postcode_checker_new(base, &options, error, sizeof(error));
	options.deadline_ms = DEADLINE_MS;
	struct postcode_checker *checker = postcode_checker_new(base, &options, error, sizeof(error));
	if (!goes_on(base, patient, &under_way))
		return 2;
	if (!orders_are_told(base, checker))
		return 3;
	/* A shutdown in the middle of a question, and one after it. */
	postcode_checker_free(patient);
	postcode_checker_free(checker);
	event_base_loop(base, EVLOOP_NONBLOCK);
	if (under_way.answers_count != 0)
		return 4;
	return threads_count() > 1 ? 0 : 5;
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
