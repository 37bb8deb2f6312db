/* What a connection to a replica is for, as its hello says: who may open one for what, which older connections a new one
 * closes, and what may be said on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/cluster/convert.h"
#include "server/peers/speaker.h"
#include "tests/unit/support_log.h"
#include "tests/unit/support_node.h"

static struct identity who_called(uint32_t id, enum purpose purpose)
{
	struct identity who = manager_called(0x22);

	who.id = id;
	who.purpose = purpose;
	who.cluster = node_rig.view.cluster;
	who.generation = node_rig.view.generation;
	return who;
}

static jh_hello_status opens(struct caller *caller, uint32_t id, enum purpose purpose)
{
	const struct identity who = who_called(id, purpose);

	caller_open(caller);
	return say_hello(caller, &who, NULL);
}

static enum hello_status answer_to(const struct identity *me, uint32_t id, enum purpose purpose, uint8_t cluster,
				   uint8_t generation)
{
	static const struct identity nobody;
	struct identity who = manager_called(0x22);

	who.id = id;
	who.purpose = purpose;
	who.cluster = called(cluster);
	who.generation = called(generation);
	return speaker_hello(me, called(0xA), &who, &nobody);
}

/* Rule 17: a front-end manages, a replica pushes; what is gossiped outlives a generation, and no cluster. */
static void purposes_are_checked(void **state)
{
	struct identity me = manager_called(0x11);

	(void)state;
	me.id = 1;
	me.cluster = called(0xC);
	me.generation = called(6);
	for (uint32_t id = 0; id <= 2; id += 2) {
		assert_int_equal(answer_to(&me, id, PURPOSE_NONE, 0xC, 6), HELLO_FORMAT);
		assert_int_equal(answer_to(&me, id, PURPOSE_MANAGER, 0xC, 6), id == 0 ? HELLO_BOUND : HELLO_FORMAT);
		assert_int_equal(answer_to(&me, id, PURPOSE_PUSH, 0xC, 6), id == 0 ? HELLO_FORMAT : HELLO_OK);
		assert_int_equal(answer_to(&me, id, PURPOSE_GOSSIP, 0xC, 6), HELLO_OK);
		assert_int_equal(answer_to(&me, id, PURPOSE_BACKUP, 0xC, 6), HELLO_OK);
		assert_int_equal(answer_to(&me, id, PURPOSE_GOSSIP, 0xC, 7), HELLO_OK);
		assert_int_equal(answer_to(&me, id, PURPOSE_GOSSIP, 0xD, 6), HELLO_CLUSTER);
		assert_int_equal(answer_to(&me, id, PURPOSE_BACKUP, 0xC, 7), HELLO_CLUSTER);
	}
	assert_int_equal(answer_to(&me, 2, PURPOSE_PUSH, 0xC, 7), HELLO_CLUSTER);
}

/* Rule 17: a format in common is not enough, where another one is in use. */
static void formats_are_compared(void **state)
{
	static const struct identity nobody;
	struct identity me = manager_called(0x11), who = manager_called(0x22);

	(void)state;
	me.formats = (struct format_range){3, 4};
	who.formats = (struct format_range){4, 5};
	assert_int_equal(speaker_hello(&me, called(0x22), &who, &nobody), HELLO_OK);
	me.format = 3;
	assert_int_equal(speaker_hello(&me, called(0x22), &who, &nobody), HELLO_OTHER_FORMAT);
	who.format = 4; /* it knows a newer view */
	assert_int_equal(speaker_hello(&me, called(0x22), &who, &nobody), HELLO_OK);
	who.format = 5;
	assert_int_equal(speaker_hello(&me, called(0x22), &who, &nobody), HELLO_OTHER_FORMAT);
	who.formats.low = who.format = 5;
	me.format = 0;
	assert_int_equal(speaker_hello(&me, called(0x22), &who, &nobody), HELLO_OTHER_FORMAT);
}

/* Rule 17: our log says, too, which side must be upgraded; once, for the caller tries again and again. */
static void other_formats_are_logged_once(void **state)
{
	struct caller caller;
	struct identity who = manager_called(0xA);

	(void)state;
	node_rig_begin();
	who.formats.high++;
	who.format = who.formats.high;
	listen_to_log();
	caller_open(&caller);
	for (int i = 0; i < 2; i++)
		assert_int_equal(say_hello(&caller, &who, NULL), JH_HELLO_FORMAT);
	assert_int_equal(lines_with("speaks cluster format 3, the cluster uses 4: upgrade the replica"), 1);
	assert_said("refused a hello from 127.0.0.1");
	stop_listening(state);
	caller_close(&caller);
	node_rig_end();
}

/* Rule 17: a new connection closes the older ones of the same peer and purpose, and no other. */
static void a_hello_closes_those_of_its_purpose(void **state)
{
	struct caller manager, push, gossip, again;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(opens(&push, 2, PURPOSE_PUSH), JH_HELLO_OK);
	assert_int_equal(opens(&gossip, 2, PURPOSE_GOSSIP), JH_HELLO_OK);
	loop_for(2);
	assert_false(push.closed);
	assert_int_equal(opens(&again, 2, PURPOSE_PUSH), JH_HELLO_OK);
	loop_until(&push.closed);
	loop_for(2);
	assert_false(gossip.closed);
	assert_false(manager.closed);
	caller_close(&again);
	caller_close(&gossip);
	caller_close(&push);
	caller_close(&manager);
	node_rig_end();
}

static jh_push_result push_on(struct caller *caller, uint64_t probe)
{
	jh_push_args args = {.view = 1, .probe = probe};
	jh_push_result result = {0};
	struct question question;

	push_1(&args, NULL, ask(caller, &question, (xdrproc_t)xdr_jh_push_result, &result));
	loop_until(&question.over);
	assert_int_equal(question.rpc, RPC_ANSWERED);
	xdr_free((xdrproc_t)xdr_jh_push_result, &result);
	return result;
}

/* Rule 17: what a connection was not opened for is refused on it. An answer bears the number of its push. */
static void only_a_push_connection_pushes(void **state)
{
	struct caller manager, push, gossip;
	jh_push_result result;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(opens(&push, 2, PURPOSE_PUSH), JH_HELLO_OK);
	assert_int_equal(opens(&gossip, 2, PURPOSE_GOSSIP), JH_HELLO_OK);
	result = push_on(&push, 77);
	assert_int_equal(result.view, 1); /* the core has answered */
	assert_int_equal(result.probe, 77);
	result = push_on(&gossip, 78);
	assert_int_equal(result.status, JH_PUSH_REFUSED);
	assert_int_equal(result.view, 0);
	assert_int_equal(result.probe, 78);
	caller_close(&gossip);
	caller_close(&push);
	caller_close(&manager);
	node_rig_end();
}

/* Rule 20: a front-end that only looks is no manager, and does not take the place of one. */
static void who_looks_does_not_manage(void **state)
{
	struct caller manager, looks;

	(void)state;
	node_rig_begin();
	node_leads(&manager);
	assert_int_equal(opens(&looks, 0, PURPOSE_BACKUP), JH_HELLO_OK);
	assert_int_equal(order_now(&looks, 1, "pie").outcome, JH_MOVED);
	assert_int_equal(bind_manager(&looks, 0x22), JH_MANAGE_REFUSED);
	assert_int_equal(order_now(&manager, 1, "soup").outcome, JH_DONE);
	caller_close(&looks);
	caller_close(&manager);
	node_rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(purposes_are_checked),
		cmocka_unit_test(formats_are_compared),
		cmocka_unit_test(other_formats_are_logged_once),
		cmocka_unit_test(a_hello_closes_those_of_its_purpose),
		cmocka_unit_test(only_a_push_connection_pushes),
		cmocka_unit_test(who_looks_does_not_manage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
