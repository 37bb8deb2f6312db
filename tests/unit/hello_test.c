/* Purpose: of a hello of another cluster format what every format keeps is understood, whatever stands behind it, and nothing
 * else is looked at; a hello of this format is read whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/cluster/hello.h"
#include "tests/unit/support_samples.h"

static uint8_t bytes[8192];

static size_t encode(uint32_t format)
{
	jh_hello_result sample = {.status = JH_HELLO_OK, .error = sample_text("why"), .me = sample_identity(2),
				  .report = sample_report()};
	XDR xdr;

	sample.me.format = format;
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
	size_t size = encode(JH_CLUSTER_FORMAT);
	jh_hello_result result;

	(void)state;
	assert_true(decode(size, &result));
	assert_int_equal(result.status, JH_HELLO_OK);
	assert_int_equal(result.report.op, sample_report().op);
	xdr_free((xdrproc_t)xdr_jh_hello_result, (char *)&result);
	for (size_t cut = 0; cut < size; cut += 4)
		assert_false(decode(cut, &result));
}

/* Rule 17: status, text of three bytes, format: all behind it may be anything, or nothing. */
static void test_another_format_is_understood_as_one(void **state)
{
	const size_t kept = 4 + 8 + 4;

	(void)state;
	for (uint32_t format = JH_CLUSTER_FORMAT - 1; format <= JH_CLUSTER_FORMAT + 1; format += 2) {
		size_t size = encode(format);

		for (size_t cut = kept; cut <= size; cut += 4) {
			jh_hello_result result;

			memset(bytes + kept, 0xff, cut - kept);
			assert_true(decode(cut, &result));
			assert_int_equal(result.status, JH_HELLO_FORMAT);
			assert_int_equal(result.me.format, format);
			assert_int_equal(result.me.id, 0);
			xdr_free((xdrproc_t)xdr_jh_hello_result, (char *)&result);
		}
	}
}

static void test_the_older_one_is_named(void **state)
{
	char text[160];

	(void)state;
	assert_string_equal(hello_name_formats(text, sizeof text, JH_CLUSTER_FORMAT - 1, "them", "us"),
			    "speaks cluster format 1, us 2: upgrade them");
	assert_string_equal(hello_name_formats(text, sizeof text, JH_CLUSTER_FORMAT + 1, "them", "us"),
			    "speaks cluster format 3, us 2: upgrade us");
}

static void test_the_question_is_left_where_it_is(void **state)
{
	uint32_t format = 0;
	XDR xdr;

	(void)state;
	encode(3);
	xdrmem_create(&xdr, (char *)bytes, 4, XDR_DECODE);
	assert_true(hello_format(&xdr, &format));
	assert_int_equal(xdr_getpos(&xdr), 0);
	xdrmem_create(&xdr, (char *)bytes, 0, XDR_DECODE);
	assert_false(hello_format(&xdr, &format));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_this_format_is_read_whole),
		cmocka_unit_test(test_another_format_is_understood_as_one),
		cmocka_unit_test(test_the_older_one_is_named),
		cmocka_unit_test(test_the_question_is_left_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
