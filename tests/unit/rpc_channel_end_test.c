/* Purpose: every call on a channel is answered exactly once when its connection ends, whatever the peer sends or does;
 * and closing is safe in every call-back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel_fixture.h"
#include "rpc/base/clock.h"
#include "rpc/net/channel_internal.h"

/* --- the end of a connection -------------------------------------------------------------------------------------- */

static void loss_answers_every_call_once(void **state)
{
	enum { CALLS = 100 };
	struct echo echo;
	struct owner owner;
	struct asked asked[CALLS] = {0};
	struct asked after = {0};

	(void)state;
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (u_int i = 0; i < CALLS; i++)
		ask_later(&owner, &asked[i], i, PATIENT_MS);
	echo_until(echo.base, echo.held_count == CALLS);
	echo_answer(&echo, 3);
	echo_until(echo.base, asked[3].answers == 1);
	rpc_connection_close(rpc_call_peer(echo.held[0]));
	echo_until(echo.base, owner.closes == 1);
	for (u_int i = 0; i < CALLS; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].status, i == 3 ? RPC_ANSWERED : RPC_LOST);
	}
	assert_int_equal(owner.channel->in_flight, 0);

	/* A call on the dead channel is lost too, but not from within. */
	ask_now(&owner, &after, 1);
	echo_until(echo.base, after.answers == 1);
	assert_int_equal(after.status, RPC_LOST);
	echo_settle(echo.base);
	assert_int_equal(owner.closes, 1);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
}

static void refused_is_reported(void **state)
{
	struct event_base *base = event_base_new();
	struct owner owner;
	struct asked asked = {0};
	char address[64];

	(void)state;
	close(listen_raw(address, sizeof address));
	owner_open(&owner, base, address);
	ask_now(&owner, &asked, 1);
	assert_int_equal(owner.closes, 0);
	echo_until(base, owner.closes == 1);
	assert_int_equal(asked.answers, 1);
	assert_int_equal(asked.status, RPC_LOST);
	assert_non_null(strstr(owner.reason, "refused"));
	assert_int_equal(owner.end, RPC_END_REFUSED);
	assert_non_null(strstr(owner.reason, address));
	assert_int_equal(owner.connects, 0);
	rpc_channel_close(owner.channel);

	owner_open(&owner, base, "example.org:1");
	asked.answers = 0;
	ask_now(&owner, &asked, 1);
	echo_until(base, owner.closes == 1);
	assert_int_equal(asked.status, RPC_LOST);
	assert_int_equal(owner.end, RPC_END_LOST);
	rpc_channel_close(owner.channel);
	event_base_free(base);
}

/* The peer sends `words`, record mark first; returns when the channel has read them. */
static void hear(const uint32_t *words, size_t count, struct owner *owner, struct asked *asked, bool until_closed)
{
	struct event_base *base = event_base_new();
	char address[64];
	int listener = listen_raw(address, sizeof address);

	memset(asked, 0, sizeof *asked);
	owner_open(owner, base, address);
	ask_now(owner, asked, 1);
	echo_until(base, owner->connects == 1);

	int fd = accept(listener, NULL, NULL);
	uint32_t sent[16];

	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++)
		sent[i] = htonl(words[i]);
	raw_send(fd, sent, 4 * count);
	if (until_closed)
		echo_until(base, owner->closes == 1);
	else
		echo_until(base, asked->answers == 1);
	rpc_channel_close(owner->channel);
	close(fd);
	close(listener);
	event_base_free(base);
}

/* The owner is told when bytes arrived, long before the answer is complete. */
static void part_of_an_answer_is_heard(void **state)
{
	static const uint8_t part[] = {0x80, 0, 0, 28, 0, 0};
	struct event_base *base = event_base_new();
	struct owner owner;
	struct asked asked = {0};
	char address[64];
	int listener = listen_raw(address, sizeof address);

	(void)state;
	owner_open(&owner, base, address);
	ask_now(&owner, &asked, 1);
	echo_until(base, owner.connects == 1);
	assert_int_equal(rpc_channel_heard_us(owner.channel), 0);

	int fd = accept(listener, NULL, NULL);
	uint64_t before_us = rpc_clock_us();

	raw_send(fd, part, sizeof part);
	echo_until(base, rpc_channel_heard_us(owner.channel) != 0);
	assert_in_range(rpc_channel_heard_us(owner.channel), before_us, rpc_clock_us());
	assert_int_equal(asked.answers, 0);
	rpc_channel_close(owner.channel);
	close(fd);
	close(listener);
	event_base_free(base);
}

static void unknown_xids_are_ignored_and_garbage_ends(void **state)
{
	struct owner owner;
	struct asked asked;

	(void)state;
	/* An answer to no call, then ours. */
	hear((uint32_t[]){0x80000000u | 28, 999, REPLY, 0, 0, 0, 0, 5, 0x80000000u | 28, 1, REPLY, 0, 0, 0, 0, 5}, 16,
	     &owner, &asked, false);
	assert_int_equal(asked.value, 5);
	assert_int_equal(owner.closes, 0);

	/* With a verifier that is skipped. */
	hear((uint32_t[]){0x80000000u | 36, 1, REPLY, 0, 5, 8, 1, 2, 0, 7}, 10, &owner, &asked, false);
	assert_int_equal(asked.value, 7);

	static const uint32_t bad[][8] = {
		{0x80000000u | 24, 1, CALL, 0, 0, 0, 0, 0},   /* no reply */
		{0x80000000u | 8, 1, REPLY},                  /* too short */
		{0x80000000u | 24, 1, REPLY, 7, 0, 0, 0, 0},  /* neither accepted nor denied */
		{0x80000000u | 24, 1, REPLY, 0, 0, 0, 99, 0}, /* no such status */
		{0x80000000u | 24, 1, REPLY, 0, 0, 40, 0, 0}, /* a verifier longer than the record */
		{0x80000000u | (5u << 20)},                   /* over the limit */
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		hear(bad[i], 8, &owner, &asked, true);
		assert_int_equal(asked.answers, 1);
		assert_int_equal(asked.status, RPC_LOST);
		assert_int_equal(owner.closes, 1);
		assert_int_equal(owner.end, RPC_END_NO_RPC);
	}
}

/* --- closing in call-backs ---------------------------------------------------------------------------------------- */

static void closing_is_safe_in_every_callback(void **state)
{
	struct echo echo;
	struct owner owner;
	struct asked asked[3];

	(void)state;
	echo_open(&echo, NULL);

	/* In an answer: the later ones are dropped. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	asked[1].close = &owner.channel;
	for (u_int i = 0; i < 3; i++)
		ask_now(&owner, &asked[i], i);
	echo_until(echo.base, owner.channel == NULL);
	echo_settle(echo.base);
	assert_int_equal(asked[0].answers + asked[1].answers, 2);
	assert_int_equal(asked[2].answers, 0);
	assert_int_equal(owner.closes + owner.turn_ends, 0);

	/* In connected, with calls queued. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	owner.close_on_connect = true;
	ask_now(&owner, &asked[0], 1);
	echo_until(echo.base, owner.channel == NULL);
	echo_settle(echo.base);
	assert_int_equal(asked[0].answers, 0);

	/* In turn_end. */
	owner_open(&owner, echo.base, echo.address);
	owner.close_on_turn_end = true;
	ask_now(&owner, &asked[0], 1);
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].answers, 1);

	/* In closed; and in the answer that says that the call was lost. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	owner.close_on_close = true;
	ask_later(&owner, &asked[0], 1, PATIENT_MS);
	echo_until(echo.base, echo.held_count == 1);
	rpc_connection_close(rpc_call_peer(echo.held[0]));
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].status, RPC_LOST);

	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	asked[0].close = &owner.channel;
	ask_later(&owner, &asked[0], 1, PATIENT_MS);
	ask_later(&owner, &asked[1], 1, PATIENT_MS);
	echo_until(echo.base, echo.held_count == 3);
	rpc_connection_close(rpc_call_peer(echo.held[1]));
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].answers + asked[1].answers, 1);
	assert_int_equal(owner.closes, 0);

	/* In a deadline. */
	memset(asked, 0, sizeof asked);
	owner_open(&owner, echo.base, echo.address);
	asked[0].close = &owner.channel;
	ask_later(&owner, &asked[0], 1, 10);
	ask_later(&owner, &asked[1], 1, 10);
	echo_until(echo.base, owner.channel == NULL);
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[1].answers, 0);
	rpc_channel_close(NULL);
	echo_close(&echo);
}

/* --- a socket connected to itself --------------------------------------------------------------------------------- */

/* A network of its own whose only ephemeral port is 40000: a connect to it connects to itself. Exit status for the
 * parent. */
static int meet_oneself(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 77;

	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0 || range < 0 || write(range, "40000 40000", 11) != 11)
		return 77;

	struct event_base *base = event_base_new();
	struct owner owner;

	owner_open(&owner, base, "127.0.0.1:40000");
	while (owner.closes == 0 && owner.connects == 0)
		event_base_loop(base, EVLOOP_ONCE);
	return owner.connects == 0 && owner.end == RPC_END_REFUSED ? 0 : 1;
}

/* RULE 17 */
static void never_talks_to_itself(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(meet_oneself());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_answers_every_call_once),
		cmocka_unit_test(refused_is_reported),
		cmocka_unit_test(part_of_an_answer_is_heard),
		cmocka_unit_test(unknown_xids_are_ignored_and_garbage_ends),
		cmocka_unit_test(closing_is_safe_in_every_callback),
		cmocka_unit_test(never_talks_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
