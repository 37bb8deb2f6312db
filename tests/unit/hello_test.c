/* Purpose: of a hello in another cluster format only what every format keeps is read, whatever follows; a hello in
 * this format is read whole. And the meaning of the answer to ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/cluster/hello.h"
#include "tests/unit/support_samples.h"

static uint8_t bytes[8192];

static size_t encode(uint32_t low, uint32_t high)
{
	jh_hello_result sample = {.status = JH_HELLO_OK, .error = sample_text("why"), .me = sample_identity(2),
				  .report = sample_report()};
	XDR xdr;

	sample.me.format_low = low;
	sample.me.format_high = high;
	xdrmem_create(&xdr, (char *)bytes, sizeof bytes, XDR_ENCODE);
	assert_true(xdr_jh_hello_result(&xdr, &sample));
	return xdr_getpos(&xdr);
}

static bool decode(size_t size, jh_hello_result *result)
{
	XDR xdr;
	const struct rpc_reply reply = {.status = RPC_ANSWERED, .results = &xdr};

	*result = (jh_hello_result){.status = JH_HELLO_OK};
	xdrmem_create(&xdr, (char *)bytes, (u_int)size, XDR_DECODE);
	return hello_decode(&reply, result);
}

static void test_this_format_is_read_whole(void **state)
{
	size_t size = encode(FORMAT_LOW, FORMAT_HIGH + 1);
	jh_hello_result result;

	(void)state;
	assert_true(decode(size, &result));
	assert_int_equal(result.status, JH_HELLO_OK);
	assert_int_equal(result.report.op, sample_report().op);
	xdr_free((xdrproc_t)xdr_jh_hello_result, (char *)&result);
	for (size_t cut = 0; cut < size; cut += 4)
		assert_false(decode(cut, &result));
}

/* Rule 17: status, text of three bytes, formats: anything may follow, or nothing. Before format 3 there is a single one. */
static void test_another_format_is_understood_as_one(void **state)
{
	static const struct format_range theirs[] = {
		{1, 1}, {2, 2}, {FORMAT_HIGH + 1, FORMAT_HIGH + 1}, {FORMAT_HIGH + 1, FORMAT_HIGHEST}};

	(void)state;
	for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++) {
		size_t size = encode(theirs[i].low, theirs[i].high);
		const size_t kept = 4 + 8 + (theirs[i].low < FORMAT_RANGE_SINCE ? 4 : 8);

		for (size_t cut = kept; cut <= size; cut += 4) {
			jh_hello_result result;

			memset(bytes + kept, 0xff, cut - kept);
			assert_true(decode(cut, &result));
			assert_int_equal(result.status, JH_HELLO_FORMAT);
			assert_int_equal(result.me.format_low, theirs[i].low);
			assert_int_equal(result.me.format_high, theirs[i].high);
			assert_int_equal(result.me.id, 0);
			xdr_free((xdrproc_t)xdr_jh_hello_result, (char *)&result);
		}
	}
}

static const char *explained(struct format_range theirs, struct format_range ours, uint32_t in_use)
{
	static char text[160];

	assert_false(format_range_agrees(theirs, ours, in_use));
	return format_range_explain(theirs, ours, in_use, "them", "us", text, sizeof text);
}

#define RANGE(low, high) ((struct format_range){low, high})

static void test_the_older_one_is_named(void **state)
{
	(void)state;
	assert_string_equal(explained(RANGE(2, 2), RANGE(3, 3), 0), "speaks cluster format 2, us 3: upgrade them");
	assert_string_equal(explained(RANGE(4, 5), RANGE(3, 3), 3), "speaks cluster formats 4 to 5, us 3: upgrade us");
	assert_string_equal(explained(RANGE(3, 3), RANGE(4, 6), 4), "speaks cluster format 3, us 4 to 6: upgrade them");
	/* They have one in common, and it is not the one in use. */
	assert_string_equal(explained(RANGE(3, 3), RANGE(3, 4), 4), "speaks cluster format 3, the cluster uses 4: upgrade them");
	assert_string_equal(explained(RANGE(4, 5), RANGE(3, 4), 3),
			    "speaks cluster formats 4 to 5, the cluster uses 3: run an older version of them");
	assert_string_equal(explained(RANGE(3, 4), RANGE(3, 3), 4),
			    "speaks cluster formats 3 to 4, the cluster uses 4, us 3: upgrade us");
	assert_string_equal(explained(RANGE(3, 4), RANGE(4, 5), 3),
			    "speaks cluster formats 3 to 4, the cluster uses 3, us 4 to 5: run an older version of us");
	assert_true(format_range_agrees(RANGE(3, 4), RANGE(4, 5), 4));
	assert_true(format_range_agrees(RANGE(3, 4), RANGE(4, 5), 0));
	assert_true(format_range_agrees(RANGE(3, 3), RANGE(3, 4), 3));
}

static bool formats_of(const uint32_t *words, u_int count, struct format_range *formats)
{
	uint8_t call[12];
	XDR xdr;

	xdrmem_create(&xdr, (char *)call, sizeof call, XDR_ENCODE);
	for (u_int i = 0; i < count; i++)
		assert_true(xdr_uint32_t(&xdr, (uint32_t *)(uintptr_t)&words[i]));
	xdrmem_create(&xdr, (char *)call, 4 * count, XDR_DECODE);
	if (!hello_formats(&xdr, formats))
		return false;
	assert_int_equal(xdr_getpos(&xdr), 0); /* the question is left where it is */
	return true;
}

/* What is no range is no hello: a client's call of its front-end begins with a random number. */
static void test_the_formats_of_a_question(void **state)
{
	struct format_range formats;

	(void)state;
	assert_true(formats_of((uint32_t[]){2}, 1, &formats));
	assert_int_equal(formats.low, 2);
	assert_int_equal(formats.high, 2);
	assert_true(formats_of((uint32_t[]){3, 7, 0}, 3, &formats));
	assert_int_equal(formats.low, 3);
	assert_int_equal(formats.high, 7);
	assert_false(formats_of(NULL, 0, &formats));
	assert_false(formats_of((uint32_t[]){3}, 1, &formats));
	assert_false(formats_of((uint32_t[]){0, 3}, 2, &formats));
	assert_false(formats_of((uint32_t[]){4, 3}, 2, &formats));
	assert_false(formats_of((uint32_t[]){3, FORMAT_HIGHEST + 1}, 2, &formats));
	assert_false(formats_of((uint32_t[]){0x12345678, 0x23456789}, 2, &formats));
}

/* --- what the caller reads ---------------------------------------------------------------------------------------- */

static struct hello_answer answer;

static bool read_answer(const jh_hello_result *sample, uint32_t id)
{
	XDR xdr;
	const struct rpc_reply reply = {.status = RPC_ANSWERED, .results = &xdr};

	xdrmem_create(&xdr, (char *)bytes, sizeof bytes, XDR_ENCODE);
	assert_true(xdr_jh_hello_result(&xdr, (jh_hello_result *)(uintptr_t)sample));

	u_int size = xdr_getpos(&xdr);

	xdrmem_create(&xdr, (char *)bytes, size, XDR_DECODE);
	memset(&answer, 0x5a, sizeof answer);
	return hello_read(&reply, id, "them", "us", &answer);
}

static jh_hello_result sample_answer(jh_hello_status status)
{
	return (jh_hello_result){.status = status, .error = sample_text("why"), .me = sample_identity(2),
				 .report = sample_report()};
}

static void test_a_yes_tells_who_it_is(void **state)
{
	jh_hello_result sample = sample_answer(JH_HELLO_OK);

	(void)state;
	assert_true(read_answer(&sample, sample.report.id));
	assert_int_equal(answer.status, HELLO_OK);
	assert_true(answer.is_understood);
	assert_int_equal(answer.identity.id, 2);
	assert_int_equal(answer.report.op, sample.report.op);
	assert_string_equal(answer.text, "why");
	/* Its report is another's. */
	assert_false(read_answer(&sample, sample.report.id + 1));
	assert_string_equal(answer.text, "its hello makes no sense");
}

static void test_a_refusal_tells_why(void **state)
{
	static const struct {
		jh_hello_status wire;
		enum hello_status status;
		bool has_report;
	} refusals[] = {{JH_HELLO_FORMAT, HELLO_FORMAT, false},
			{JH_HELLO_NOT_ME, HELLO_NOT_ME, false},
			{JH_HELLO_CLUSTER, HELLO_CLUSTER, true},
			{JH_HELLO_BOUND, HELLO_BOUND, true}};

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		jh_hello_result sample = sample_answer(refusals[i].wire);

		assert_true(read_answer(&sample, sample.report.id));
		assert_int_equal(answer.status, refusals[i].status);
		assert_string_equal(answer.text, "why");
		assert_int_equal(answer.report.id, sample.report.id);
		assert_int_equal(answer.report.op, refusals[i].has_report ? sample.report.op : 0);
		/* It need not be the intended replica, unless it reports. */
		assert_int_equal(read_answer(&sample, sample.report.id + 1), !refusals[i].has_report);
	}
}

static void test_another_format_is_named(void **state)
{
	jh_hello_result sample = sample_answer(JH_HELLO_OK);

	(void)state;
	sample.me.format_low = sample.me.format_high = JH_CLUSTER_FORMAT + 1;
	assert_true(read_answer(&sample, 2));
	assert_int_equal(answer.status, HELLO_OTHER_FORMAT);
	assert_string_equal(answer.text, "speaks cluster format 4, us 3: upgrade us");
	/* One in common, another one in use there. */
	sample = sample_answer(JH_HELLO_FORMAT);
	sample.me.format = 4;
	assert_true(read_answer(&sample, 2));
	assert_int_equal(answer.status, HELLO_OTHER_FORMAT);
	assert_string_equal(answer.text, "speaks cluster formats 3 to 4, the cluster uses 4, us 3: upgrade us");
}

/* A process that does not even understand the hello is of another version; one that is late proves nothing. */
static void test_no_answer(void **state)
{
	const struct rpc_reply rejected = {.status = RPC_REJECTED, .error = "versions 2 to 2"};
	const struct rpc_reply late = {.status = RPC_LATE, .error = "no answer within 1000 ms"};

	(void)state;
	assert_true(hello_read(&rejected, 2, "them", "us", &answer));
	assert_int_equal(answer.status, HELLO_OTHER_FORMAT);
	assert_false(answer.is_understood);
	assert_string_equal(answer.text,
			    "speaks cluster formats that us does not: upgrade the older one (versions 2 to 2)");
	assert_false(hello_read(&late, 2, "them", "us", &answer));
	assert_string_equal(answer.text, "no answer within 1000 ms");
}

static void test_nonsense(void **state)
{
	jh_hello_result sample = sample_answer(JH_HELLO_OK);
	const struct rpc_reply reply = {.status = RPC_ANSWERED,
					.results = &(XDR){.x_op = XDR_DECODE}};

	(void)state;
	xdrmem_create(reply.results, (char *)bytes, 4, XDR_DECODE);
	assert_false(hello_read(&reply, 2, "them", "us", &answer));
	assert_string_equal(answer.text, "its answer to HELLO is malformed");
	sample.status = (jh_hello_status)(JH_HELLO_BOUND + 1);
	assert_false(read_answer(&sample, sample.report.id));
	assert_string_equal(answer.text, "its hello makes no sense");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_this_format_is_read_whole),
		cmocka_unit_test(test_another_format_is_understood_as_one),
		cmocka_unit_test(test_the_older_one_is_named),
		cmocka_unit_test(test_the_formats_of_a_question),
		cmocka_unit_test(test_a_yes_tells_who_it_is),
		cmocka_unit_test(test_a_refusal_tells_why),
		cmocka_unit_test(test_another_format_is_named),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
