/* What the router learns from a replica's encoded answer; the client gets exactly the replica's bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "frontend/link_answer.h"
#include "rpc/replica.h"

static char wire[65536];

static size_t encode(xdrproc_t code, void *result)
{
	XDR xdr;

	xdrmem_create(&xdr, wire, sizeof wire, XDR_ENCODE);
	assert_true(code(&xdr, result, 0));
	return xdr_getpos(&xdr);
}

static struct link_answer look(size_t size)
{
	XDR xdr;
	struct rpc_reply reply = {.status = RPC_ANSWERED, .results = &xdr, .bytes = wire, .size = size};

	xdrmem_create(&xdr, wire, (u_int)size, XDR_DECODE);
	return link_answer_of(&reply);
}

static jh_submit_result placed(void)
{
	static jh_touch touched[] = {{.op = 4, .key = 9}, {.op = 5, .key = 10}};
	jh_submit_result result = {.touches = {.from = 3, .to = 5, .list = {2, touched}}, .result = {.outcome = JH_DONE}};
	jh_write_done *done = &result.result.jh_write_result_u.done;

	done->basis.op = 1ull << 33;
	done->answer.kind = JH_OPERATION_ORDER;
	done->answer.jh_operation_answer_u.order = (jh_order_placed){
		.postcode = {.postcode_len = 7, .postcode_val = "DH1 3LE"}, .number = 3, .op = 7};
	return result;
}

/* A done write shows the op that was applied, and what follows the touches passes unchanged. */
static void a_placed_order_shows_its_op(void **state)
{
	jh_submit_result result = placed();
	size_t whole = encode((xdrproc_t)xdr_jh_submit_result, &result);
	struct link_answer answer = look(whole);
	size_t touches = 20 + 2 * 16;
	char copy[256];
	XDR xdr;

	(void)state;
	assert_int_equal(answer.kind, LINK_DONE);
	assert_int_equal(answer.op, 1ull << 33);
	assert_int_equal(answer.size, whole - touches);
	xdrmem_create(&xdr, copy, sizeof copy, XDR_ENCODE);
	assert_true(link_answer_encode(&xdr, &answer));
	assert_int_equal(xdr_getpos(&xdr), whole - touches);
	assert_memory_equal(copy, wire + touches, whole - touches);
}

/* An answer that is cut before it says what it rests on decides nothing; the rest is the client's. */
static void half_an_answer_settles_nothing(void **state)
{
	jh_submit_result result = placed();
	size_t outcome_and_basis = 4 + 28;

	(void)state;
	encode((xdrproc_t)xdr_jh_submit_result, &result);
	for (size_t cut = 0; cut < 20 + 2 * 16 + outcome_and_basis; cut += 4)
		assert_int_equal(look(cut).kind, LINK_AGAIN);
}

/* RULE 12: only "refused" is final; busy and moved are retried. */
static void outcomes_are_told_apart(void **state)
{
	static const struct {
		jh_outcome outcome;
		jh_reason reason;
		enum link_answer_kind kind;
	} cases[] = {
		{JH_REFUSED, JH_REASON_INVALID_POSTCODE, LINK_REFUSED},
		{JH_REFUSED, JH_REASON_VOID, LINK_REFUSED},
		{JH_REFUSED, JH_REASON_BUSY, LINK_AGAIN},
		{JH_UNAVAILABLE, JH_REASON_BUSY, LINK_AGAIN},
		{JH_UNAVAILABLE, JH_REASON_NO_PRIMARY, LINK_AGAIN},
		{JH_UNAVAILABLE, JH_REASON_TOO_FEW_MEMBERS, LINK_UNAVAILABLE},
		{JH_KEY_REUSED, JH_REASON_KEY_REUSED, LINK_REFUSED},
		{JH_UNKNOWN, JH_REASON_NONE, LINK_AGAIN},
		{JH_MOVED, JH_REASON_NONE, LINK_AGAIN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		jh_submit_result write = {.result = {.outcome = cases[i].outcome}};
		jh_query_result read = {.result = {.outcome = cases[i].outcome}};

		write.result.jh_write_result_u.problem.reason = cases[i].reason;
		read.result.jh_read_result_u.problem.reason = cases[i].reason;
		assert_int_equal(look(encode((xdrproc_t)xdr_jh_submit_result, &write)).kind, cases[i].kind);
		assert_int_equal(look(encode((xdrproc_t)xdr_jh_query_result, &read)).kind, cases[i].kind);
	}
}

/* A done read shows the op that it reflects (rule 8). */
static void a_history_shows_its_op(void **state)
{
	jh_query_result result = {.result = {.outcome = JH_DONE}};

	(void)state;
	result.result.jh_read_result_u.done.basis.op = 77;
	result.result.jh_read_result_u.done.answer.kind = JH_QUERY_HISTORY;

	struct link_answer answer = look(encode((xdrproc_t)xdr_jh_query_result, &result));

	assert_int_equal(answer.kind, LINK_DONE);
	assert_int_equal(answer.op, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_placed_order_shows_its_op),
		cmocka_unit_test(half_an_answer_settles_nothing),
		cmocka_unit_test(outcomes_are_told_apart),
		cmocka_unit_test(a_history_shows_its_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
