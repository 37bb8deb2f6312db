/* The postcode grammar: the table lists what BS 7666 allows at each position, the standard's own expression is a
 * second opinion on random text, and random bytes must never be accepted or read out of bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/postcode.h"

static bool good(const char *text)
{
	char out[POSTCODE_SIZE];

	return postcode_normalise(text, strlen(text), out);
}

static void assert_becomes(const char *text, const char *expected)
{
	char out[POSTCODE_SIZE];

	if (!postcode_normalise(text, strlen(text), out))
		fail_msg("\"%s\" is refused", text);
	assert_string_equal(out, expected);
}

/* Each of the six forms, and the ways people type them. */
static void test_normal_form(void **state)
{
	static const struct {
		const char *typed, *normal;
	} table[] = {
		{"M1 1AA", "M1 1AA"}, {"B33 8TH", "B33 8TH"}, {"DH1 3LE", "DH1 3LE"}, {"CR26 2XH", "CR26 2XH"},
		{"W1A 0AX", "W1A 0AX"}, {"EC1A 1BB", "EC1A 1BB"}, {"GIR 0AA", "GIR 0AA"}, {"gir0aa", "GIR 0AA"},
		{"dh13le", "DH1 3LE"}, {"  dh1 3le\t", "DH1 3LE"}, {"Dh1   3lE", "DH1 3LE"}, {"m11aa\r\n", "M1 1AA"},
		{"DH1\xc2\xa0\x33LE", "DH1 3LE"}, {"\xe3\x80\x80" "DH1\xe2\x80\x87\x33LE\xe2\x80\xaf", "DH1 3LE"},
		{"\xef\xbb\xbf" "DH1 3LE", "DH1 3LE"}, {"D\xe2\x80\x8bH1\xc2\xad 3L\xe2\x81\xa0" "E", "DH1 3LE"},
		{"\xe2\x81\xa8" "DH1 3LE\xe2\x81\xa9", "DH1 3LE"}, {"DH1 \xe2\x80\x8e \x33LE\xe2\x80\x8f", "DH1 3LE"},
		{"EC1A1BB", "EC1A 1BB"}, {"DH1\t3LE", "DH1 3LE"}, {"BT1 1AA", "BT1 1AA"}, {"SW1A2AA", "SW1A 2AA"},
		/* the forces, what is no place, and the territories */
		{"bf1 3aa", "BF1 3AA"}, {"BF1 0AX", "BF1 0AX"}, {"BX1 1LT", "BX1 1LT"}, {"bx91as", "BX9 1AS"},
		{"XX10 1AA", "XX10 1AA"}, {"xx1 1aa", "XX1 1AA"}, {"XM4 5HQ", "XM4 5HQ"}, {"ascn1zz", "ASCN 1ZZ"},
		{"BBND 1ZZ", "BBND 1ZZ"}, {"BIQQ 1ZZ", "BIQQ 1ZZ"}, {"FIQQ 1ZZ", "FIQQ 1ZZ"}, {"PCRN 1ZZ", "PCRN 1ZZ"},
		{"SIQQ 1ZZ", "SIQQ 1ZZ"}, {"sthl 1zz", "STHL 1ZZ"}, {"TDCU 1ZZ", "TDCU 1ZZ"}, {"TKCA 1ZZ", "TKCA 1ZZ"},
		{"GX11 1AA", "GX11 1AA"}, {"JE2 4ST", "JE2 4ST"}, {"GY1 1AN", "GY1 1AN"}, {"IM4 4EQ", "IM4 4EQ"},
		{"                                DH1          3LE                       ", "DH1 3LE"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_becomes(table[i].typed, table[i].normal);
}

static void test_refused(void **state)
{
	static const char *const table[] = {
		"", " ", "D", "DH1", "3LE", "DH 3LE", "DH1 3L", "DH1 3LEE", "DH1 33LE", "D H1 3LE", "DH1 3 LE",
		"DH 1 3LE", "1DH 3LE", "DH1-3LE", "DH1.3LE", "DHH1 3LE", "DH123 3LE", "DH1AA 3LE", "D1AA 3LE",
		"D123 3LE", "A1A1 1AA", "GIR 0AB", "GIR 1AA", "GIR  ", "GIR", "AGIR 0AA", "DH1 3LE pizza", "pizza",
		"DH1 3LE DH1 3LE", "\xc3\x89H1 3LE", "DH1\xe2\x80\xae\x33LE", "DH1\xf3\xa0\x81\x81 3LE", "\xc2\xa0", "\xe2\x80\x8b", "DH1\xef\xb8\x8f 3LE",
		"12345", "0 0AA", "AA 9AA", "AAA 9AA",
		"A 9AA", "A9 AAA", "A9 99A", "A9 9A9", "A9 A9A",
		"ASCN 1ZY", "ASCN 2ZZ", "ABCD 1ZZ", "XX 1AA", "XX1A 1AA", "XX123 1AA", "XA1 1AA", "XM4 5HP", "XX1 1CA",
		"SAN TA1", "AI-2640", "KY1-1100", "MSR 1110", "VG1110", "BFPO 1", "BFPO1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (good(table[i]))
			fail_msg("\"%s\" is accepted", table[i]);
}

/* Where a provider that does not know a postcode proves nothing. */
static void test_beyond_directories(void **state)
{
	static const char *const beyond[] = {"BF1 3AA", "BX1 1LT", "XX10 1AA", "XM4 5HQ", "GIR 0AA", "ASCN 1ZZ", "GX11 1AA",
					     "GY1 1AN", "IM4 4EQ", "JE2 4ST", "TKCA 1ZZ", "BF10 1AA"};
	static const char *const within[] = {"DH1 3LE", "B1 1TT", "BT1 1AA", "EC1A 1BB", "M1 1AA", "BB1 1AA", "IP1 1AA"};

	(void)state;
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		assert_true(good(beyond[i]) && postcode_is_beyond_directories(beyond[i]));
	for (size_t i = 0; i < sizeof(within) / sizeof(within[0]); i++)
		assert_true(good(within[i]) && !postcode_is_beyond_directories(within[i]));
}

/* form with position replaced by each letter in turn: exactly the letters of the set are accepted. */
static void assert_letters(const char *form, size_t position, const char *allowed)
{
	for (int letter = 'A'; letter <= 'Z'; letter++) {
		char text[16];

		snprintf(text, sizeof(text), "%s", form);
		text[position] = (char)letter;
		if (good(text) != (strchr(allowed, letter) != NULL))
			fail_msg("\"%s\" is %s", text, good(text) ? "accepted" : "refused");
	}
}

static void test_letters_of_each_position(void **state)
{
	static const char first[] = "ABCDEFGHIJKLMNOPRSTUWYZ"; /* no Q V X */
	static const char second[] = "ABCDEFGHKLMNOPQRSTUVWXY"; /* no I J Z */
	static const char unit[] = "ABDEFGHJLNPQRSTUWXYZ";      /* no C I K M O V */
	static const char *const with_two[] = {"AA9 9AA", "AA99 9AA", "AA9A 9AA"};
	static const char *const all[] = {"A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t size = strlen(all[i]);
		assert_letters(all[i], 0, first);
		assert_letters(all[i], size - 2, unit);
		assert_letters(all[i], size - 1, unit);
		assert_letters(all[i], size - 3, ""); /* a digit */
	}
	for (size_t i = 0; i < sizeof(with_two) / sizeof(with_two[0]); i++)
		assert_letters(with_two[i], 1, second);
	assert_letters("A9A 9AA", 2, "ABCDEFGHJKPSTUW");
	assert_letters("AA9A 9AA", 3, "ABEHMNPRVWXY");
	assert_letters("AA9 9AA", 2, "");
}

/* A NUL, and every byte beyond ASCII, is invalid anywhere in a postcode, and the text need not end in a NUL. */
static void test_bytes_that_are_no_text(void **state)
{
	char out[POSTCODE_SIZE];
	static const char model[7] = {'D', 'H', '1', ' ', '3', 'L', 'E'};

	(void)state;
	for (size_t i = 0; i < sizeof(model); i++) {
		char text[sizeof(model)];
		memcpy(text, model, sizeof(model));
		assert_true(postcode_normalise(text, sizeof(text), out));
		text[i] = '\0';
		assert_false(postcode_normalise(text, sizeof(text), out));
		for (int byte = 0x80; byte <= 0xff; byte++) {
			text[i] = (char)byte;
			assert_false(postcode_normalise(text, sizeof(text), out));
		}
	}
	assert_false(postcode_normalise("DH1 3LE\0", 8, out));
	assert_false(postcode_normalise(NULL, 0, out));
}

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* The standard's expression and the code agree on near misses, and an accepted postcode is its own normal form. */
static void test_agrees_with_the_standard_expression(void **state)
{
	static const char expression[] =
		"^(GIR 0AA|(XX[0-9][0-9]?|[A-PR-UWYZ][0-9][0-9]?|[A-PR-UWYZ][A-HK-Y][0-9][0-9]?|[A-PR-UWYZ][0-9][A-HJKPSTUW]|"
		"[A-PR-UWYZ][A-HK-Y][0-9][ABEHMNPRVWXY]) [0-9][ABD-HJLNP-UW-Z]{2})$";
	static const char *const forms[] = {"A9", "A99", "AA9", "AA99", "A9A", "AA9A", "AAA", "9A", "A", "AA9AA", "XX9", "XX99"};
	regex_t standard;
	uint64_t seed = 20240607;
	unsigned accepted = 0;

	(void)state;
	assert_int_equal(regcomp(&standard, expression, REG_EXTENDED | REG_NOSUB), 0);
	for (int round = 0; round < 300000; round++) {
		char text[16], out[POSTCODE_SIZE];
		const char *form = forms[random_next(&seed) % (sizeof(forms) / sizeof(forms[0]))];
		snprintf(text, sizeof(text), "%s 9AA", form);
		for (char *at = text; *at; at++)
			if (*at != ' ' && *at != 'X')
				*at = (char)(*at == 'A' ? 'A' + random_next(&seed) % 26
							: '0' + random_next(&seed) % 10);
		bool is_good = postcode_normalise(text, strlen(text), out);
		if (is_good != (regexec(&standard, text, 0, NULL, 0) == 0))
			fail_msg("\"%s\": the code says %d", text, is_good);
		if (is_good)
			assert_string_equal(out, text);
		accepted += is_good;
	}
	assert_true(accepted > 1000);
	regfree(&standard);
}

/* Random bytes in blocks of exactly their size: the sanitizer detects a read past the end; an accepted one is
 * normal. */
static void test_random_bytes(void **state)
{
	uint64_t seed = 1855;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		static const char likely[] = "ABDEHW019 \t";
		char out[POSTCODE_SIZE], again[POSTCODE_SIZE];
		size_t size = random_next(&seed) % 14;
		char *text = malloc(size ? size : 1);
		assert_non_null(text);
		for (size_t i = 0; i < size; i++)
			text[i] = random_next(&seed) % 16 ? likely[random_next(&seed) % (sizeof(likely) - 1)]
							  : (char)random_next(&seed);
		if (postcode_normalise(text, size, out)) {
			assert_true(postcode_normalise(out, strlen(out), again));
			assert_string_equal(out, again);
		}
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal_form),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_beyond_directories),
		cmocka_unit_test(test_letters_of_each_position),
		cmocka_unit_test(test_bytes_that_are_no_text),
		cmocka_unit_test(test_agrees_with_the_standard_expression),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
