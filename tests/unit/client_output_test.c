/* Purpose: JSON output is valid JSON, and exact: numbers up to 2^64 - 1 have no sign, and no text from anywhere can
 * pass for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/output.h"

static void printed(json_t *value, const char *expected)
{
	json_t *array = json_array();
	char *text, line[128];

	json_array_append_new(array, value);
	text = output_json_text_take(array, false);
	snprintf(line, sizeof line, "[%s]", expected);
	assert_string_equal(text, line);
	free(text);
}

static void test_numbers_are_exact(void **state)
{
	(void)state;
	printed(output_number(0), "0");
	printed(output_number(UINT64_C(9007199254740993)), "9007199254740993");
	printed(output_number(INT64_MAX), "9223372036854775807");
	printed(output_number(UINT64_C(9223372036854775808)), "9223372036854775808");
	printed(output_number(UINT64_MAX), "18446744073709551615");
}

static void test_large_numbers_stand_among_others(void **state)
{
	json_t *object = json_object();
	char *text;

	(void)state;
	json_object_set_new(object, "request", output_number(UINT64_MAX));
	json_object_set_new(object, "item", output_text("12\" pizza", 9));
	json_object_set_new(object, "op", output_number(UINT64_MAX - 1));
	text = output_json_text_take(object, true);
	assert_string_equal(text, "{\n  \"request\": 18446744073709551615,\n  \"item\": \"12\\\" pizza\",\n"
				  "  \"op\": 18446744073709551614\n}");
	free(text);
}

static void test_no_text_passes_for_a_number(void **state)
{
	(void)state;
	printed(output_text("\001u64:12", 7), "\"\\\\x01u64:12\"");
	printed(output_text("x\001u64:12", 8), "\"x\\u0001u64:12\"");
	printed(output_text("\"\001u64:12", 8), "\"\\\"\\u0001u64:12\"");
	printed(output_text("\\u0001u64:1", 11), "\"\\\\u0001u64:1\"");
	printed(output_text("", 0), "\"\"");
	printed(output_text("\377", 1), "\"\\\\xff\"");
}

/* The value is the same for every reader of the JSON, and nothing in it acts on a terminal. */
static void test_what_cannot_be_seen_is_written_out(void **state)
{
	(void)state;
	printed(output_text("caf\303\251 \345\257\277", 9), "\"caf\303\251 \345\257\277\"");
	printed(output_text("a\342\200\213b", 5), "\"a\\u200bb\"");
	printed(output_text("\302\233\177", 3), "\"\\u009b\\u007f\"");
	printed(output_text("\363\240\201\201", 4), "\"\\udb40\\udc41\""); /* a tag character, in two halves */
}

/* {reason, final, became} as JSON, to be freed. */
static char *why_text(const struct answer_why *why, bool final)
{
	json_t *object = json_object();

	output_why(object, final, why);
	return output_json_text_take(object, false);
}

/* Each reason has a name of its own; what is not known is null. */
static void test_reasons_have_names(void **state)
{
	struct answer_why why = {.reason = JH_REASON_KEY_REUSED, .tells_became = true,
				 .became = {.kind = JH_OPERATION_ORDER, .op = 18446744073709551615u, .result = JH_ENTRY_REFUSED}};
	char *text = why_text(&why, true);

	(void)state;
	assert_string_equal(text, "{\"reason\": \"key-reused\", \"final\": true, \"became\": {\"kind\": \"order\", "
				  "\"op\": 18446744073709551615, \"result\": \"refused\"}}");
	free(text);
	why = (struct answer_why){.reason = (jh_reason)99, .tells_became = true,
				  .became = {.kind = (jh_operation_kind)99, .op = 1, .result = (jh_entry_result)99}};
	text = why_text(&why, false);
	assert_string_equal(text, "{\"reason\": null, \"final\": false, \"became\": {\"kind\": null, \"op\": 1, "
				  "\"result\": null}}");
	free(text);
	why = (struct answer_why){.reason = JH_REASON_NONE};
	text = why_text(&why, false);
	assert_string_equal(text, "{\"reason\": null, \"final\": false, \"became\": null}");
	free(text);
	for (int reason = JH_REASON_BAD_REQUEST; reason <= JH_REASON_FORMAT; reason++) {
		assert_non_null(answer_reason_name((jh_reason)reason));
		for (int other = JH_REASON_BAD_REQUEST; other < reason; other++)
			assert_string_not_equal(answer_reason_name((jh_reason)reason), answer_reason_name((jh_reason)other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_exact),
		cmocka_unit_test(test_large_numbers_stand_among_others),
		cmocka_unit_test(test_no_text_passes_for_a_number),
		cmocka_unit_test(test_what_cannot_be_seen_is_written_out),
		cmocka_unit_test(test_reasons_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
