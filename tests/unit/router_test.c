/* The router: every request is answered exactly once; writes are sent again to a new primary in the order of arrival;
 * a request that may have happened is never reported as not having happened (rule 12). Reads are in
 * router_reads_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support_router.h"

/* --- writes ------------------------------------------------------------------------------------------------------- */

/* Without a primary writes wait, and the first raises demand; with one they are sent in order and get its answers. */
static void writes_wait_for_a_primary(void **state)
{
	struct world *world = *state;
	struct request *a = write_one(world, 0), *b = write_one(world, 0);

	assert_int_equal(world->demands, 1);
	assert_int_equal(world->sent_count, 0);
	serve(world, 1, 7, 5);
	assert_int_equal(world->sent_count, 2);
	assert_int_equal(world->sent[0], a->number);
	assert_int_equal(world->sent[1], b->number);
	assert_int_equal(a->to, 7);
	assert_int_equal(a->view, 1);
	reply(world, b, ROUTER_REPLY_DONE, 6);
	assert_int_equal(b->answers, 1);
	assert_int_equal(b->end, ROUTER_END_ANSWERED);
	assert_ptr_equal(b->payload, b);
	reply(world, a, ROUTER_REPLY_REFUSED, 4); /* by less than what clients were shown when it was sent */
	assert_int_equal(a->answers, 0);
	pass_time(world, 80);
	assert_int_equal(a->sends, 2);
	reply(world, a, ROUTER_REPLY_REFUSED, 9);
	assert_int_equal(a->end, ROUTER_END_ANSWERED);
	assert_int_equal(router_floor(world->router), 9);
	assert_int_equal(router_waiting(world->router), 0);
}

/* RULE 8: answers and routes raise the floor. */
static void answers_raise_the_floor(void **state)
{
	struct world *world = *state;

	serve(world, 1, 7, 5);
	assert_int_equal(router_floor(world->router), 5);
	reply(world, write_one(world, 0), ROUTER_REPLY_DONE, 9);
	assert_int_equal(router_floor(world->router), 9);
	reply(world, write_one(world, 0), ROUTER_REPLY_DONE, 8);
	assert_int_equal(router_floor(world->router), 9);
	reply(world, read_one(world, 0), ROUTER_REPLY_DONE, 11);
	assert_int_equal(router_floor(world->router), 11);
}

/* When the primary dies everything in flight goes to the next one, in the order of arrival, and is answered once. */
static void in_flight_goes_to_the_new_primary_in_order(void **state)
{
	struct world *world = *state;
	struct request *r[10];

	serve(world, 1, 1, 0);
	for (int i = 0; i < 10; i++)
		r[i] = write_one(world, 0);
	reply(world, r[3], ROUTER_REPLY_DONE, 4);
	router_link(world->router, 1, false, world->now_ms);
	router_hold(world->router, "no primary: waiting for replica 1");
	assert_int_equal(world->demands, 1);

	struct request *late = write_one(world, 0);

	world->sent_count = 0;
	serve(world, 2, 2, 4);
	assert_int_equal(world->sent_count, 10);
	for (int i = 0, at = 0; i < 10; i++) {
		if (i == 3)
			continue;
		assert_int_equal(world->sent[at++], r[i]->number);
		assert_int_equal(r[i]->to, 2);
		assert_int_equal(r[i]->view, 2);
	}
	assert_int_equal(world->sent[9], late->number);
	for (int i = 0; i < 10; i++)
		if (i != 3)
			reply(world, r[i], ROUTER_REPLY_DONE, 5);
	assert_int_equal(r[3]->sends, 1);
}

/* The same primary in a new view (an eviction) is sent everything again: its held calls ended as moved. */
static void a_new_view_of_the_same_primary_sends_again(void **state)
{
	struct world *world = *state;

	serve(world, 1, 1, 0);

	struct request *a = write_one(world, 0);

	router_route(world->router, 2, 1, 0, world->now_ms);
	assert_int_equal(a->sends, 2);
	assert_int_equal(a->view, 2);
	/* The same route again only raises the floor. */
	router_route(world->router, 2, 1, 3, world->now_ms);
	assert_int_equal(a->sends, 2);
	assert_int_equal(router_floor(world->router), 3);
}

/* After a reconnection in the same view, the calls lost with the old connection are sent again. */
static void a_new_connection_sends_again(void **state)
{
	struct world *world = *state;

	serve(world, 1, 1, 0);

	struct request *a = write_one(world, 0);

	router_link(world->router, 1, false, world->now_ms);

	struct request *b = write_one(world, 0);

	assert_int_equal(b->sends, 0);
	router_link(world->router, 1, true, world->now_ms);
	assert_int_equal(a->sends, 2);
	assert_int_equal(b->sends, 1);
}

/* A moved call is kept, and sent again after the retry time while the same primary serves. */
static void moved_is_kept_and_sent_again(void **state)
{
	struct world *world = *state;

	serve(world, 1, 1, 0);

	struct request *a = write_one(world, 0);

	reply(world, a, ROUTER_REPLY_AGAIN, 0);
	assert_int_equal(a->answers, 0);
	pass_time(world, 40);
	assert_int_equal(a->sends, 1);
	pass_time(world, 40);
	assert_int_equal(a->sends, 2);
	reply(world, a, ROUTER_REPLY_DONE, 1);
	assert_int_equal(a->answers, 1);
}

/* RULE 12: "unavailable" is passed on only while no other call of the same write may have happened. */
static void unavailable_passes_only_for_the_only_call(void **state)
{
	struct world *world = *state;

	serve(world, 1, 1, 0);

	struct request *a = write_one(world, 0), *b = write_one(world, 0);

	reply(world, a, ROUTER_REPLY_UNAVAILABLE, 0);
	assert_int_equal(a->answers, 1);
	serve(world, 2, 2, 0);
	assert_int_equal(b->sends, 2);
	reply(world, b, ROUTER_REPLY_UNAVAILABLE, 0);
	assert_int_equal(b->answers, 0);
}

/* Rule 12: a rejected call was certainly not executed, so it leaves no doubt; but a rejection proves nothing about an
 * earlier call. */
static void a_rejected_call_leaves_no_doubt(void **state)
{
	struct world *world = *state;

	serve(world, 1, 1, 0);

	struct request *never = write_one(world, 1000), *once = write_one(world, 1000), *then = write_one(world, 1000);

	reply(world, never, ROUTER_REPLY_NOT_EXECUTED, 0);
	reply(world, then, ROUTER_REPLY_NOT_EXECUTED, 0);
	assert_int_equal(never->answers, 0);
	serve(world, 2, 2, 0);
	assert_int_equal(never->sends, 2);
	reply(world, never, ROUTER_REPLY_NOT_EXECUTED, 0);
	reply(world, once, ROUTER_REPLY_NOT_EXECUTED, 0);
	reply(world, then, ROUTER_REPLY_UNAVAILABLE, 0); /* the only call that was examined */
	assert_int_equal(then->end, ROUTER_END_ANSWERED);
	router_hold(world->router, "no primary: the test says so");
	pass_time(world, 2000);
	assert_int_equal(never->end, ROUTER_END_UNAVAILABLE);
	assert_int_equal(once->end, ROUTER_END_UNKNOWN);
}

static void what_is_rejected_is_asked_again_until_the_deadline(void **state)
{
	struct world *world = *state;

	serve(world, 1, 1, 0);

	struct request *request = write_one(world, 1000);

	while (request->answers == 0) {
		if (request->head.sent)
			reply(world, request, ROUTER_REPLY_NOT_EXECUTED, 0);
		pass_time(world, ROUTER_TICK_MS);
	}
	assert_true(request->sends > 5);
	assert_int_equal(request->end, ROUTER_END_UNAVAILABLE);
	assert_non_null(strstr(request->text, "rejects the call"));
}

/* RULE 12: a request that never left is "unavailable", with the reason; one that may have left is "unknown"; both
 * before the caller's own deadline. */
static void deadlines_tell_what_may_have_happened(void **state)
{
	struct world *world = *state;

	router_hold(world->router, "no primary: waiting for replicas 2, 3");

	struct request *held = write_one(world, 1000), *longer = write_one(world, 60000), *read = read_one(world, 1000);

	pass_time(world, 880);
	assert_int_equal(held->answers, 0);
	pass_time(world, 60);
	assert_int_equal(held->answers, 1);
	assert_int_equal(held->end, ROUTER_END_UNAVAILABLE);
	assert_string_equal(held->text, "no primary: waiting for replicas 2, 3");
	assert_int_equal(read->end, ROUTER_END_UNAVAILABLE);
	assert_int_equal(read->answers, 1);
	assert_int_equal(longer->answers, 0);

	serve(world, 1, 1, 0);

	struct request *silent = write_one(world, 1000);

	router_link(world->router, 1, false, world->now_ms);
	router_hold(world->router, "no primary: waiting for replica 1");
	pass_time(world, 1000);
	assert_int_equal(silent->answers, 1);
	assert_int_equal(silent->end, ROUTER_END_UNKNOWN);
	assert_non_null(strstr(silent->text, "waiting for replica 1"));
	assert_int_equal(longer->answers, 0);
	pass_time(world, 55000);
	assert_int_equal(longer->answers, 1);
	assert_int_equal(longer->end, ROUTER_END_UNKNOWN);
}

/* At the deadline the router answers, not the channel: a call may take longer, and its end is ignored then. A backup
 * gets less time, as another replica can answer. */
static void calls_outlast_their_request(void **state)
{
	struct world *world = *state;
	struct request *write, *read;

	serve(world, 1, 1, 0);
	write = write_one(world, 1000);
	read = read_one(world, 1000);
	assert_true(write->timeout_ms > 1000);
	assert_true(read->timeout_ms > 1000);
	pass_time(world, 950);
	assert_int_equal(write->end, ROUTER_END_UNKNOWN);
	assert_int_equal(read->end, ROUTER_END_UNAVAILABLE);
}

/* After a stall of more than a turn of the wheel everything that is due expires, once. */
static void a_late_tick_expires_everything_due(void **state)
{
	struct world *world = *state;
	struct request *a = write_one(world, 500), *b = write_one(world, 9000), *c = write_one(world, 3000000);

	world->now_ms += 100000;
	router_tick(world->router, world->now_ms);
	assert_int_equal(a->answers, 1);
	assert_int_equal(b->answers, 1);
	assert_int_equal(c->answers, 0);
}

/* RULE 19: at the limit clients are paused, at three quarters they resume; far beyond it the answer is "busy". */
static void a_full_queue_pauses_clients(void **state)
{
	struct world *world = *state;
	struct request *r[201];

	for (int i = 0; i < 99; i++)
		r[i] = write_one(world, 0);
	assert_false(world->paused);
	r[99] = write_one(world, 0);
	assert_true(world->paused);
	for (int i = 100; i < 200; i++)
		r[i] = write_one(world, 0);
	assert_int_equal(r[199]->answers, 1);
	assert_int_equal(r[199]->end, ROUTER_END_BUSY);
	serve(world, 1, 1, 0);
	for (int i = 0; i < 123; i++)
		reply(world, r[i], ROUTER_REPLY_DONE, 1);
	assert_true(world->paused);
	reply(world, r[123], ROUTER_REPLY_DONE, 1);
	assert_false(world->paused);
	assert_int_equal(world->pauses, 2);
}

/* --- more requests than may be under way -------------------------------------------------------------------------- */

/* RULE 12, 17: one of five is sent back, so that the fifth is sent; then the view changes, and the new primary gets the
 * first four. The old primary's answer to the fifth is ignored: its view may still lose the write. */
static void answers_of_given_up_calls_are_not_heard(void **state)
{
	struct world *world = *state;
	struct request *r[6];

	serve(world, 1, 1, 0);
	for (int i = 0; i < 6; i++)
		r[i] = write_one(world, 0);
	assert_int_equal(world->sent_count, 4);
	reply(world, r[0], ROUTER_REPLY_AGAIN, 0);
	assert_int_equal(r[4]->sends, 1);
	serve(world, 2, 2, 0);
	assert_int_equal(r[4]->sends, 1);
	reply(world, r[4], ROUTER_REPLY_DONE, 9);
	assert_int_equal(r[4]->answers, 0);
	assert_int_equal(router_floor(world->router), 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(r[i]->to, 2);
		reply(world, r[i], ROUTER_REPLY_DONE, (uint64_t)i + 1);
		assert_int_equal(r[i]->answers, 1);
	}
	assert_int_equal(r[4]->sends, 2);
	assert_int_equal(r[5]->sends, 1);
}

/* The same with the primary's connection: calls lost with it beyond the window wait too. */
static void answers_of_a_lost_connection_are_not_heard(void **state)
{
	struct world *world = *state;
	struct request *r[6];

	serve(world, 1, 1, 0);
	for (int i = 0; i < 6; i++)
		r[i] = write_one(world, 0);
	reply(world, r[1], ROUTER_REPLY_AGAIN, 0);
	router_link(world->router, 1, false, world->now_ms);
	reply(world, r[4], ROUTER_REPLY_DONE, 9);
	assert_int_equal(r[4]->answers, 0);
	router_link(world->router, 1, true, world->now_ms);
	for (int i = 0; i < 6; i++) {
		pass_time(world, 60);
		reply(world, r[i], ROUTER_REPLY_DONE, 1);
		assert_int_equal(r[i]->answers, 1);
	}
}

/* What the primary sent back waits for its retry time, however many others are answered meanwhile, and blocks none. */
static void sent_back_waits_its_time(void **state)
{
	struct world *world = *state;
	struct request *r[12];

	serve(world, 1, 1, 0);
	for (int i = 0; i < 12; i++)
		r[i] = write_one(world, 0);
	reply(world, r[0], ROUTER_REPLY_AGAIN, 0);
	pass_time(world, 60); /* the window is full: the search starts at the first and stays there */
	reply(world, r[1], ROUTER_REPLY_DONE, 1);
	assert_int_equal(r[0]->sends, 2);
	reply(world, r[0], ROUTER_REPLY_AGAIN, 0);
	assert_int_equal(r[0]->sends, 2);
	reply(world, r[2], ROUTER_REPLY_DONE, 2);
	assert_int_equal(r[0]->sends, 2);
	assert_int_equal(r[6]->sends, 1);
	pass_time(world, 40);
	assert_int_equal(r[0]->sends, 2);
	reply(world, r[3], ROUTER_REPLY_DONE, 3);
	pass_time(world, 40);
	reply(world, r[4], ROUTER_REPLY_DONE, 4);
	assert_int_equal(r[0]->sends, 3);
	for (int i = 0; i < 12; i++)
		if (r[i]->answers == 0)
			reply(world, r[i], ROUTER_REPLY_DONE, 9);
}

/* --- everything at once ------------------------------------------------------------------------------------------- */

/* Whatever happens in whatever order, every request ends exactly once. Seeded, so that a failure can be repeated. */
static void every_request_ends_once(void **state)
{
	struct world *world = *state;
	uint64_t lates = 0;
	uint64_t view = 0;
	unsigned seed = 4711;

	for (int round = 0; round < 20000; round++) {
		int dice = rand_r(&seed) % 100;
		struct request *any = world->count > 0 ? &world->requests[rand_r(&seed) % world->count] : NULL;
		uint32_t id = 1 + (uint32_t)rand_r(&seed) % 3;

		world->sent_count = 0;
		if (dice < 10 && world->count < REQUESTS)
			write_one(world, 50 + (uint32_t)rand_r(&seed) % 3000);
		else if (dice < 20 && world->count < REQUESTS)
			read_one(world, 50 + (uint32_t)rand_r(&seed) % 3000);
		else if (dice < 23)
			serve(world, view += 1, id, 0);
		else if (dice < 25)
			router_hold(world->router, "held");
		else if (dice < 28)
			router_link(world->router, id, false, world->now_ms);
		else if (dice < 33)
			router_link(world->router, id, true, world->now_ms);
		else if (dice < 80 && any != NULL && any->sends > 0 && any->answers == 0) {
			/* Of the latest call, which the router may have given up. */
			lates += any->head.sent ? 0 : 1;
			reply(world, any, (enum router_reply)(rand_r(&seed) % 4), view + 1);
		} else
			pass_time(world, 1);
	}
	assert_true(lates > 20);
	router_hold(world->router, "over");
	pass_time(world, 4000);
	assert_int_equal(router_waiting(world->router), 0);
	for (int i = 0; i < world->count; i++) {
		assert_int_equal(world->requests[i].answers, 1);
		/* RULE 12 */
		if (world->requests[i].end == ROUTER_END_UNAVAILABLE && !world->requests[i].head.is_read)
			assert_int_equal(world->requests[i].sends, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_wait_for_a_primary, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(answers_raise_the_floor, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(in_flight_goes_to_the_new_primary_in_order, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(a_new_view_of_the_same_primary_sends_again, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(a_new_connection_sends_again, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(moved_is_kept_and_sent_again, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(unavailable_passes_only_for_the_only_call, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(a_rejected_call_leaves_no_doubt, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(what_is_rejected_is_asked_again_until_the_deadline, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(deadlines_tell_what_may_have_happened, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(calls_outlast_their_request, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(a_late_tick_expires_everything_due, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(a_full_queue_pauses_clients, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(answers_of_given_up_calls_are_not_heard, router_set_up_narrow, router_tear_down),
		cmocka_unit_test_setup_teardown(answers_of_a_lost_connection_are_not_heard, router_set_up_narrow, router_tear_down),
		cmocka_unit_test_setup_teardown(sent_back_waits_its_time, router_set_up_narrow, router_tear_down),
		cmocka_unit_test_setup_teardown(every_request_ends_once, router_set_up, router_tear_down),
		cmocka_unit_test_setup_teardown(every_request_ends_once, router_set_up_narrow, router_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
