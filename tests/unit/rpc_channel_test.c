/* Purpose: through rpcgen's unmodified stubs many calls share one connection without blocking, and each gets its own
 * answer or its deadline. Connections that end are in rpc_channel_end_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "channel_fixture.h"
#include "rpc/net/channel_internal.h"

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* Calls made before the connection is up leave when it is; no call-back is made from within the stub. */
static void calls_queue_until_connected(void **state)
{
	struct echo echo;
	struct owner owner;
	struct asked asked[3] = {0};
	const uint8_t *queued;

	(void)state;
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (u_int i = 0; i < 3; i++)
		ask_now(&owner, &asked[i], 10 * i);
	assert_int_equal(owner.channel->in_flight, 3);
	assert_true(record_writer_pending(&owner.channel->output, &queued) > 0);
	assert_int_equal(owner.connects, 0);
	echo_until(echo.base, asked[2].answers == 1);
	for (u_int i = 0; i < 3; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].status, RPC_ANSWERED);
		assert_int_equal(asked[i].value, 10 * i + 1);
	}
	assert_int_equal(owner.connects, 1);
	assert_int_equal(owner.turn_ends, 1);
	assert_int_equal(owner.channel->in_flight, 0);
	assert_int_equal(record_writer_pending(&owner.channel->output, &queued), 0);
	assert_string_equal(rpc_channel_address(owner.channel), echo.address);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
}

/* More calls than the first table holds, answered from the last to the first. */
static void many_answers_in_the_other_order(void **state)
{
	enum { CALLS = 500 };
	struct echo echo;
	struct owner owner;
	struct asked *asked = calloc(CALLS, sizeof *asked);

	(void)state;
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (u_int i = 0; i < CALLS; i++)
		ask_later(&owner, &asked[i], i, PATIENT_MS);
	echo_until(echo.base, echo.held_count == CALLS);
	while (echo.held_count > 0)
		echo_answer(&echo, echo.held_count - 1);
	echo_until(echo.base, owner.channel->in_flight == 0);
	for (u_int i = 0; i < CALLS; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].value, i + 1);
	}
	rpc_channel_close(owner.channel);
	echo_close(&echo);
	free(asked);
}

struct text_asked {
	unsigned answers;
	echo_text text;
};

static void text_answered(void *context, const struct rpc_reply *reply)
{
	struct text_asked *asked = context;

	asked->answers++;
	assert_int_equal(reply->status, RPC_ANSWERED);
	assert_true(rpc_reply_decode(reply, (xdrproc_t)xdr_echo_text, &asked->text));
}

/* A megabyte there and back: many reads and writes in both directions. */
static void large_records_pass(void **state)
{
	enum { SIZE = 1048576 };
	struct echo echo;
	struct owner owner;
	struct text_asked asked[4] = {0};
	echo_text text = {.bytes = {.bytes_len = SIZE, .bytes_val = malloc(SIZE)}};

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		text.bytes.bytes_val[i] = (char)(i * 7 + i / 251);
	echo_open(&echo, NULL);
	owner_open(&owner, echo.base, echo.address);
	for (int i = 0; i < 4; i++)
		echo_text_1(&text, NULL, rpc_channel_call(owner.channel, PATIENT_MS, text_answered, &asked[i]));
	for (int i = 0; i < 4; i++) {
		echo_until(echo.base, asked[i].answers == 1);
		assert_int_equal(asked[i].text.bytes.bytes_len, SIZE);
		assert_memory_equal(asked[i].text.bytes.bytes_val, text.bytes.bytes_val, SIZE);
		xdr_free((xdrproc_t)xdr_echo_text, &asked[i].text);
	}
	rpc_channel_close(owner.channel);
	echo_close(&echo);
	free(text.bytes.bytes_val);
}

static void rejected(void **state)
{
	struct echo echo;
	struct owner owner;
	struct asked asked[2] = {0};
	u_int value = 1;

	(void)state;
	echo_open(&echo, NULL);
	owner_open_version(&owner, echo.base, echo.address, 9);
	echo_now_1(&value, NULL, rpc_channel_call(owner.channel, PATIENT_MS, answered, &asked[0]));
	echo_until(echo.base, asked[0].answers == 1);
	assert_int_equal(asked[0].status, RPC_REJECTED);
	assert_non_null(strstr(asked[0].error, "version 1 only"));
	rpc_channel_close(owner.channel);

	/* Arguments over their limit are our own mistake; the connection stays. */
	echo_text text = {.bytes = {.bytes_len = 1048577, .bytes_val = calloc(1, 1048577)}};

	owner_open(&owner, echo.base, echo.address);
	memset(asked, 0, sizeof asked);
	echo_text_1(&text, NULL, rpc_channel_call(owner.channel, PATIENT_MS, answered, &asked[0]));
	assert_int_equal(asked[0].answers, 0);
	ask_now(&owner, &asked[1], 1);
	echo_until(echo.base, asked[1].answers == 1);
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[0].status, RPC_REJECTED);
	assert_int_equal(asked[1].status, RPC_ANSWERED);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
	free(text.bytes.bytes_val);
}

/* --- deadlines ---------------------------------------------------------------------------------------------------- */

static void set_flag(evutil_socket_t fd, short what, void *context)
{
	bool *flag = context;

	(void)fd;
	(void)what;
	*flag = true;
}

/* Each call has its own, in whatever order they were made; a late answer belongs to no call, and does no harm. */
static void deadline_passes_for_one_call(void **state)
{
	struct echo echo;
	struct owner owner;
	struct asked patient = {0};
	struct asked hasty[2] = {0};
	struct asked after = {0};
	bool second_passed = false;

	(void)state;
	echo_open(&echo, NULL);
	event_base_once(echo.base, -1, EV_TIMEOUT, set_flag, &second_passed, &(struct timeval){.tv_sec = 1});
	owner_open(&owner, echo.base, echo.address);
	ask_later(&owner, &patient, 1, PATIENT_MS);
	ask_later(&owner, &hasty[0], 2, 40);
	ask_later(&owner, &hasty[1], 3, 20);
	echo_until(echo.base, hasty[1].answers == 1);
	echo_until(echo.base, hasty[0].answers == 1);
	assert_false(second_passed); /* timers of one loop fire in their order, however slow the machine */
	assert_int_equal(hasty[0].status, RPC_LATE);
	assert_int_equal(hasty[1].status, RPC_LATE);
	assert_int_equal(patient.answers, 0);
	echo_until(echo.base, echo.held_count == 3);
	while (echo.held_count > 0)
		echo_answer(&echo, 0);
	ask_now(&owner, &after, 9);
	echo_until(echo.base, after.answers == 1);
	assert_int_equal(patient.answers, 1);
	assert_int_equal(patient.value, 2);
	assert_int_equal(hasty[0].answers, 1);
	assert_int_equal(hasty[1].answers, 1);
	assert_int_equal(owner.closes, 0);
	rpc_channel_close(owner.channel);
	echo_close(&echo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_queue_until_connected),
		cmocka_unit_test(many_answers_in_the_other_order),
		cmocka_unit_test(large_records_pass),
		cmocka_unit_test(rejected),
		cmocka_unit_test(deadline_passes_for_one_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
