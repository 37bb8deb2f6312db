/* The question to each provider and the meaning of its answers: the documented forms, and everything that is not one
 * of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/shop/postcode_provider.h"

static void test_urls(void **state)
{
	char base[POSTCODE_BASE_BYTES], url[POSTCODE_URL_BYTES], error[256];

	(void)state;
	assert_true(postcode_provider_base("--postcodes-io", "https://api.postcodes.io", base, error, sizeof(error)));
	postcode_provider_url(POSTCODES_IO, base, "DH1 3LE", url);
	assert_string_equal(url, "https://api.postcodes.io/postcodes/DH1%203LE/validate");
	assert_true(postcode_provider_base("--getthedata", "http://127.0.0.1:8080/slow//", base, error, sizeof(error)));
	postcode_provider_url(GETTHEDATA, base, "EC1A 1BB", url);
	assert_string_equal(url, "http://127.0.0.1:8080/slow/postcode/EC1A%201BB");
	assert_true(postcode_provider_base("--getthedata", "http://[::1]:8080", base, error, sizeof(error)));
}

/* One line that names the option; an invalid address is found at the start, not at the first order. */
static void test_bad_bases(void **state)
{
	static const char *const bad[] = {"", "localhost", "localhost:80", "ftp://host", "file:///etc/passwd",
					  "http://", "http://h/?a=b", "http://h/#f", "http://me:secret@h",
					  "http://h h/", "http://h:99999"};
	char base[POSTCODE_BASE_BYTES], error[256], lengthy[400];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(error, 0, sizeof(error));
		if (postcode_provider_base("--postcodes-io", bad[i], base, error, sizeof(error)))
			fail_msg("\"%s\" is accepted", bad[i]);
		assert_ptr_equal(strstr(error, "--postcodes-io "), error);
		assert_null(strchr(error, '\n'));
	}
	memset(lengthy, 'a', sizeof(lengthy));
	memcpy(lengthy, "http://", 7);
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_false(postcode_provider_base("--getthedata", lengthy, base, error, sizeof(error)));
}

static const char EXISTS[] = "{\"status\":200,\"result\":true}";
static const char NOT_FOUND[] = "{\"status\":404,\"error\":\"Postcode not found\"}";

/* A failure says why, and nothing else does. */
static enum postcode_answer answer_of(enum postcode_provider provider, const char *postcode, long status,
				      const char *body, size_t size)
{
	const char *why;
	enum postcode_answer answer = postcode_provider_answer(provider, postcode, status, body, size, &why);

	assert_int_equal(why != NULL, answer == POSTCODE_ANSWER_FAILED);
	return answer;
}

struct row {
	const char *postcode;
	long status;
	const char *body;
	enum postcode_answer expected;
};

static void means(enum postcode_provider provider, const struct row *rows, size_t count)
{
	for (const struct row *row = rows; row < rows + count; row++)
		if (answer_of(provider, row->postcode, row->status, row->body, strlen(row->body)) != row->expected)
			fail_msg("%s %ld %s", row->postcode, row->status, row->body);
}

static void test_postcodes_io(void **state)
{
	static const struct row table[] = {
		{"DH1 3LE", 200, "{\"status\":200,\"result\":true}", POSTCODE_ANSWER_EXISTS},
		{"DH1 3LE", 200, " {\"result\":true, \"status\":200, \"more\":[1,2]}\n", POSTCODE_ANSWER_EXISTS},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":false}", POSTCODE_ANSWER_NONE},
		{"DH1 3LE", 404, "{\"status\":404,\"error\":\"Postcode not found\"}", POSTCODE_ANSWER_NONE},
		{"DH1 3LE", 404, "{\"status\":404,\"error\":\"Invalid postcode\"}", POSTCODE_ANSWER_NONE},
		{"DH1 3LE", 404, "{\"status\":404,\"error\":\"Postcode not found\",\"terminated\":{\"year_terminated\":1996}}",
		 POSTCODE_ANSWER_NONE},
		{"DH1 3LE", 404, "{\"status\":404,\"error\":\"Postcode not found\",\"terminated\":{\"postcode\":\"DH13LE\"}}",
		 POSTCODE_ANSWER_NONE},
		/* postcodes that the data may lack */
		{"BF1 3AA", 200, "{\"status\":200,\"result\":false}", POSTCODE_ANSWER_UNKNOWN},
		{"BF1 3AA", 200, "{\"status\":200,\"result\":true}", POSTCODE_ANSWER_EXISTS},
		{"BF1 3AA", 404, "{\"status\":404,\"error\":\"Invalid postcode\"}", POSTCODE_ANSWER_UNKNOWN},
		{"ASCN 1ZZ", 404, "{\"status\":404,\"error\":\"Invalid postcode\"}", POSTCODE_ANSWER_UNKNOWN},
		{"JE2 4ST", 200, "{\"status\":200,\"result\":false}", POSTCODE_ANSWER_UNKNOWN},
		{"BT1 1AA", 200, "{\"status\":200,\"result\":false}", POSTCODE_ANSWER_NONE},
		/* not what is documented */
		{"DH1 3LE", 404, "{\"status\":404,\"error\":\"Postcode not found\",\"terminated\":{\"postcode\":\"DH1 3LG\"}}",
		 POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":true,\"postcode\":\"DH1 3LG\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":{\"postcode\":\"DH1 3LE\"}}", POSTCODE_ANSWER_FAILED},
		{"BF1 3AA", 404, "{\"status\":404,\"error\":\"Resource not found\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 404, "{\"status\":404,\"error\":\"Resource not found\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 404, "{\"status\":404,\"terminated\":true}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 404, "{\"error\":\"Postcode not found\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 404, "<html>not found</html>", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, NOT_FOUND, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 404, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"result\":true}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":\"true\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":{}}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":null}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":true,\"result\":false}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":true", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":true}}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "[200,true]", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "true", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "<html></html>", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":\"match\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 0, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 204, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 301, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 302, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 400, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 429, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 500, EXISTS, POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 503, EXISTS, POSTCODE_ANSWER_FAILED},
	};

	(void)state;
	means(POSTCODES_IO, table, sizeof(table) / sizeof(table[0]));
}

/* Its data is old: it confirms postcodes that are live in it and refuses none. */
static void test_getthedata(void **state)
{
#define MATCH(postcode, status) \
	"{\"status\":\"match\",\"match_type\":\"unit_postcode\",\"input\":\"DH13LE\",\"data\":{\"postcode\":\"" postcode \
	"\",\"status\":\"" status "\"}}"
	static const struct row table[] = {
		{"DH1 3LE", 200, MATCH("DH1 3LE", "live"), POSTCODE_ANSWER_EXISTS},
		{"DH1 3LE", 200, MATCH("DH13LE", "live"), POSTCODE_ANSWER_EXISTS},
		{"DH1 3LE", 200, "{\"status\":\"match\",\"data\":{\"postcode\":\"dh1 3le\",\"status\":\"live\"}}",
		 POSTCODE_ANSWER_EXISTS},
		{"DH1 3LE", 200, MATCH("DH1 3LE", "terminated"), POSTCODE_ANSWER_UNKNOWN},
		{"DH1 3LE", 200, MATCH("DH1 3LE", "asleep"), POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, MATCH("DH1 3LG", "live"), POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, MATCH("DH1 3LG", "terminated"), POSTCODE_ANSWER_FAILED},
		{"DH1 3LG", 200, MATCH("DH1 3LG", "live"), POSTCODE_ANSWER_FAILED}, /* by its input */
		{"DH1 3LE", 200, "{\"status\":\"match\",\"match_type\":\"outcode\",\"data\":{\"postcode\":\"DH1 3LE\","
				 "\"status\":\"live\"}}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":\"match\",\"match_type\":\"unit_postcode\",\"data\":{}}",
		 POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":\"match\",\"data\":[]}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":\"match\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":\"no_match\",\"data\":null}", POSTCODE_ANSWER_UNKNOWN},
		{"DH1 3LE", 404, "{\"status\":\"no_match\",\"data\":null}", POSTCODE_ANSWER_UNKNOWN},
		{"DH1 3LE", 200, "{\"status\":\"no_match\",\"input\":\"DH1 3LG\"}", POSTCODE_ANSWER_FAILED},
		{"B1 1TT", 200, "{\"status\":\"no_match\"}", POSTCODE_ANSWER_UNKNOWN},
		{"BT1 1AA", 200, "{\"status\":\"no_match\"}", POSTCODE_ANSWER_UNKNOWN},
		{"DH1 3LE", 404, MATCH("DH1 3LE", "live"), POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":\"error\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":200,\"result\":true}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 200, "{\"status\":[\"match\"]}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 404, "{\"status\":404,\"error\":\"Postcode not found\"}", POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 429, MATCH("DH1 3LE", "live"), POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 302, MATCH("DH1 3LE", "live"), POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 204, MATCH("DH1 3LE", "live"), POSTCODE_ANSWER_FAILED},
		{"DH1 3LE", 500, "{\"status\":\"no_match\"}", POSTCODE_ANSWER_FAILED},
	};

	(void)state;
	means(GETTHEDATA, table, sizeof(table) / sizeof(table[0]));
}

/* Bodies over the limit, very deep ones, and ones that contain NULs are no answers. */
static void test_hostile_bodies(void **state)
{
	static char body[POSTCODE_ANSWER_BYTES + 1];

	(void)state;
	memset(body, ' ', sizeof(body));
	memcpy(body, EXISTS, strlen(EXISTS));
	assert_int_equal(answer_of(POSTCODES_IO, "DH1 3LE", 200, body, sizeof(body) - 1),
			 POSTCODE_ANSWER_EXISTS);
	assert_int_equal(answer_of(POSTCODES_IO, "DH1 3LE", 200, body, sizeof(body)),
			 POSTCODE_ANSWER_FAILED);
	memset(body, '[', sizeof(body));
	assert_int_equal(answer_of(POSTCODES_IO, "DH1 3LE", 200, body, sizeof(body) - 1),
			 POSTCODE_ANSWER_FAILED);
	memcpy(body, EXISTS, sizeof(EXISTS));
	assert_int_equal(answer_of(POSTCODES_IO, "DH1 3LE", 200, body, sizeof(EXISTS)),
			 POSTCODE_ANSWER_FAILED);
	assert_int_equal(answer_of(POSTCODES_IO, "DH1 3LE", 200, NULL, 0), POSTCODE_ANSWER_FAILED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),	       cmocka_unit_test(test_bad_bases),
		cmocka_unit_test(test_postcodes_io),   cmocka_unit_test(test_getthedata),
		cmocka_unit_test(test_hostile_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
