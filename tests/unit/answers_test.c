/* Rule 12: what a request is told, for each kind that may be asked and everything that its number may have become. Only what the log
 * decided is final. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rpc/base/format.h"
#include "server/answers.h"
#include "server/machine/machine.h"
#include "server/shop/order_encoding.h"
#include "tests/unit/support_answers.h"
#include "tests/unit/support_decided.h"

static struct machine *machine;

static int begin(void **state)
{
	(void)state;
	machine = decided_machine();
	return 0;
}

static int end(void **state)
{
	(void)state;
	machine_free(machine);
	return 0;
}

static void decide(uint32_t kind, enum replica_verdict verdict, uint64_t op)
{
	const struct answers_source source = {.machine = machine};
	const struct answers_request request = {.kind = kind, .number = 77};
	uint32_t count = kept_answer.count;

	answers_decided(NULL, &source, &request, verdict, op);
	assert_int_equal(kept_answer.count, count + 1);
	assert_int_equal(kept_answer.op, DECIDED_OPS);
	assert_true(kept_answer.final);
}

static void is_refused(jh_reason reason)
{
	assert_int_equal(kept_answer.outcome, JH_REFUSED);
	assert_int_equal(kept_answer.reason, reason);
	assert_true(strlen(kept_answer.text) > 0);
}

static void names(jh_operation_kind kind, uint64_t op, jh_entry_result result)
{
	assert_true(kept_answer.has_became);
	assert_int_equal(kept_answer.became.kind, kind);
	assert_int_equal(kept_answer.became.op, op);
	assert_int_equal(kept_answer.became.result, result);
}

/* Rule 12: a repeat is told what its request became, and nothing else, for good. */
static void a_repeat_is_told_what_it_became(void **state)
{
	(void)state;
	decide(JH_OPERATION_ORDER, VERDICT_DECIDED, DECIDED_DONE);
	assert_int_equal(kept_answer.outcome, JH_DONE);
	assert_int_equal(kept_answer.became.kind, JH_OPERATION_ORDER);
	decide(JH_OPERATION_ORDER, VERDICT_DECIDED, DECIDED_REFUSED);
	is_refused(JH_REASON_BAD_REQUEST);
	assert_int_equal(kept_answer.values_count, 1);
	assert_int_equal(kept_answer.value, REFUSAL_VALUE);
	assert_false(kept_answer.has_became);
}

/* Rule 12: also when its content was erased, which is listed nowhere. */
static void a_forgotten_order_is_still_done(void **state)
{
	const struct body body = {.format = FORMAT_LOW, .client = {{7}}, .request = 1, .check = 1, .forgotten = true,
				  .outcome = {.result = OUTCOME_APPLIED, .values_count = 1, .values = {3}}};
	const struct order order = {.postcode = {"forgotten", 9}, .items_count = 1, .items = {{"forgotten", 9}}};
	const struct answers_request request = {.kind = JH_OPERATION_ORDER, .number = 1};
	struct machine *with_one = machine_new(10);
	const struct answers_source source = {.machine = with_one};
	uint8_t bytes[LIMIT_BODY_BYTES];
	size_t size = order_encode_body(&body, &order, bytes, sizeof bytes);

	(void)state;
	assert_int_equal(machine_apply(with_one, bytes, size), MACHINE_APPLIED);
	answers_decided(NULL, &source, &request, VERDICT_DECIDED, 1);
	assert_int_equal(kept_answer.outcome, JH_DONE);
	assert_true(kept_answer.final);
	machine_free(with_one);
}

/* Rule 12: other content under a number is an answer of its own: it names what the number became. */
static void other_content_is_told_what_the_number_became(void **state)
{
	(void)state;
	decide(JH_OPERATION_ORDER, VERDICT_REUSED, DECIDED_DONE);
	assert_int_equal(kept_answer.outcome, JH_KEY_REUSED);
	names(JH_OPERATION_ORDER, DECIDED_DONE, JH_ENTRY_DONE);
	decide(JH_OPERATION_ORDER, VERDICT_REUSED, DECIDED_REFUSED);
	assert_int_equal(kept_answer.outcome, JH_KEY_REUSED);
	names(JH_OPERATION_VOID, DECIDED_REFUSED, JH_ENTRY_REFUSED);
}

/* Rule 12: a number that was made void, or passed by, is nothing for good, whatever is asked under it. */
static void a_void_number_is_refused_for_good(void **state)
{
	(void)state;
	decide(JH_OPERATION_ORDER, VERDICT_REUSED, DECIDED_VOID);
	is_refused(JH_REASON_VOID);
	decide(JH_OPERATION_ORDER, VERDICT_PASSED, DECIDED_VOID);
	is_refused(JH_REASON_VOID);
}

/* Rule 12: a VOID has no content to differ. It is done when the number is nothing, whatever made it so; and refused, with the name of
 * what stands there, when the request was done. */
static void a_void_looks_what_its_number_became(void **state)
{
	static const struct {
		enum replica_verdict verdict;
		uint64_t op;
	} nothing[] = {{VERDICT_DECIDED, DECIDED_VOID},
		       {VERDICT_REUSED, DECIDED_VOID},
		       {VERDICT_REUSED, DECIDED_REFUSED},
		       {VERDICT_DECIDED, DECIDED_REFUSED},
		       {VERDICT_PASSED, DECIDED_DONE}};

	(void)state;
	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
		decide(JH_OPERATION_VOID, nothing[i].verdict, nothing[i].op);
		assert_int_equal(kept_answer.outcome, JH_DONE);
		assert_int_equal(kept_answer.became.kind, JH_OPERATION_VOID);
	}
	decide(JH_OPERATION_VOID, VERDICT_REUSED, DECIDED_DONE);
	is_refused(JH_REASON_DONE_BEFORE);
	names(JH_OPERATION_ORDER, DECIDED_DONE, JH_ENTRY_DONE);
}

/* Rule 12: a refusal by the applied state, and every reason to take nothing now, speak for their call only. */
static void without_an_entry_nothing_is_final(void **state)
{
	const struct answers_source source = {.machine = machine};
	const struct answers_request request = {.kind = JH_OPERATION_ORDER, .number = 77};
	const struct outcome refusal = {.result = OUTCOME_REFUSAL, .reason = JH_REASON_BAD_REQUEST, .values_count = 1, .values = {5}};
	static const struct {
		enum replica_verdict verdict;
		jh_reason reason;
	} reasons[] = {{VERDICT_FULL, JH_REASON_FULL},
		       {VERDICT_DISK_FULL, JH_REASON_DISK_FULL},
		       {VERDICT_TOO_FEW, JH_REASON_TOO_FEW_MEMBERS},
		       {VERDICT_BUSY, JH_REASON_BUSY}};

	(void)state;
	answers_not_admitted(NULL, &source, &request, &refusal);
	is_refused(JH_REASON_BAD_REQUEST);
	assert_false(kept_answer.final);
	assert_int_equal(kept_answer.op, DECIDED_OPS);
	assert_int_equal(kept_answer.value, 5);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		answers_no_room(NULL, &source, &request,
				&(struct replica_answer){.verdict = reasons[i].verdict, .id = 1, .limit = 8});
		assert_int_equal(kept_answer.outcome, JH_UNAVAILABLE);
		assert_int_equal(kept_answer.reason, reasons[i].reason);
		assert_false(kept_answer.final);
	}
	answers_no_room(NULL, &source, &(struct answers_request){.kind = JH_OPERATION_VOID, .number = 77},
			&(struct replica_answer){.verdict = VERDICT_FULL, .id = 1, .limit = 8});
	assert_non_null(strstr(kept_answer.text, "at most 8 operations")); /* a number that nobody gave as --max-orders */
	answers_moved(NULL, false);
	assert_int_equal(kept_answer.outcome, JH_MOVED);
	assert_false(kept_answer.final);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeat_is_told_what_it_became),
		cmocka_unit_test(a_forgotten_order_is_still_done),
		cmocka_unit_test(other_content_is_told_what_the_number_became),
		cmocka_unit_test(a_void_number_is_refused_for_good),
		cmocka_unit_test(a_void_looks_what_its_number_became),
		cmocka_unit_test(without_an_entry_nothing_is_final),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
