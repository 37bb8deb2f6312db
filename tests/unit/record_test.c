/* Purpose: record marking finds the same records however the bytes are cut, keeps within its limit, and uses memory
 * only for bytes that have arrived; the writer's stream encodes the same bytes as libtirpc's and never releases a
 * partial record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/net/record.h"

static size_t put_fragment(uint8_t *stream, size_t at, const char *text, bool last)
{
	uint32_t mark = htonl((last ? 0x80000000u : 0) | (uint32_t)strlen(text));

	memcpy(stream + at, &mark, 4);
	memcpy(stream + at + 4, text, strlen(text));
	return at + 4 + strlen(text);
}

/* Records "hello", "one two three" in three fragments, "", "after an empty fragment". */
static const char *const expected[] = {"hello", "one two three", "", "after an empty fragment"};

static size_t sample(uint8_t *stream)
{
	size_t at = put_fragment(stream, 0, "hello", true);

	at = put_fragment(stream, at, "one ", false);
	at = put_fragment(stream, at, "two ", false);
	at = put_fragment(stream, at, "three", true);
	at = put_fragment(stream, at, "", true);
	at = put_fragment(stream, at, "", false);
	return put_fragment(stream, at, "after an empty fragment", true);
}

static void finds_records_however_cut(void **state)
{
	uint8_t stream[256];
	size_t size = sample(stream);

	(void)state;
	for (size_t cut = 1; cut <= size; cut++) {
		struct record_reader reader;
		size_t found = 0;
		const uint8_t *record;
		size_t record_size;

		record_reader_init(&reader, 64);
		for (size_t at = 0; at < size; at += cut) {
			size_t count = size - at < cut ? size - at : cut;
			uint8_t *piece = malloc(count); /* its own memory: ASan detects a reader that looks further */

			memcpy(piece, stream + at, count);
			record_reader_feed(&reader, piece, count);
			while (record_reader_next(&reader, &record, &record_size) == RECORD_WHOLE) {
				assert_true(found < 4);
				assert_int_equal(record_size, strlen(expected[found]));
				if (record_size > 0)
					assert_memory_equal(record, expected[found], record_size);
				found++;
			}
			free(piece);
		}
		assert_int_equal(found, 4);
		record_reader_free(&reader);
	}
}

static void whole_record_is_not_copied(void **state)
{
	uint8_t stream[256];
	struct record_reader reader;
	const uint8_t *record;
	size_t size;

	(void)state;
	record_reader_init(&reader, 64);
	record_reader_feed(&reader, stream, sample(stream));
	assert_int_equal(record_reader_next(&reader, &record, &size), RECORD_WHOLE);
	assert_ptr_equal(record, stream + 4);
	record_reader_free(&reader);
}

/* Stopping in the middle and continuing later from the copy gives the rest, in order. */
static void stash_keeps_the_rest(void **state)
{
	uint8_t *stream = malloc(256);
	struct record_reader reader;
	const uint8_t *record;
	size_t size;

	(void)state;
	record_reader_init(&reader, 64);
	record_reader_feed(&reader, stream, sample(stream));
	assert_int_equal(record_reader_next(&reader, &record, &size), RECORD_WHOLE);
	record_reader_stash(&reader);
	free(stream);
	for (size_t i = 1; i < 4; i++) {
		assert_true(record_reader_has_input(&reader));
		assert_int_equal(record_reader_next(&reader, &record, &size), RECORD_WHOLE);
		assert_int_equal(size, strlen(expected[i]));
		record_reader_stash(&reader);
	}
	assert_false(record_reader_has_input(&reader));
	assert_int_equal(record_reader_next(&reader, &record, &size), RECORD_MORE);
	record_reader_free(&reader);
}

static void refuses_what_is_over_the_limit(void **state)
{
	uint8_t stream[256];
	struct record_reader reader;
	const uint8_t *record;
	size_t record_size;
	size_t size = put_fragment(stream, 0, "eight...", true);

	(void)state;
	record_reader_init(&reader, 8);
	record_reader_feed(&reader, stream, size);
	assert_int_equal(record_reader_next(&reader, &record, &record_size), RECORD_WHOLE);

	/* One byte more, in one fragment or as the sum of two: refused at the mark. */
	put_fragment(stream, 0, "nine.....", true);
	assert_int_equal(record_reader_next(&reader, &record, &record_size), RECORD_MORE);
	record_reader_feed(&reader, stream, 4);
	assert_int_equal(record_reader_next(&reader, &record, &record_size), RECORD_TOO_LONG);
	record_reader_free(&reader);

	record_reader_init(&reader, 8);
	size = put_fragment(stream, 0, "eight...", false);
	size = put_fragment(stream, size, "1", true);
	record_reader_feed(&reader, stream, size);
	assert_int_equal(record_reader_next(&reader, &record, &record_size), RECORD_TOO_LONG);
	record_reader_free(&reader);
}

static void a_mark_alone_costs_no_memory(void **state)
{
	uint32_t mark = htonl(0x80000000u | (4u << 20));
	struct record_reader reader;
	const uint8_t *record;
	size_t size;

	(void)state;
	record_reader_init(&reader, 4u << 20);
	record_reader_feed(&reader, (uint8_t *)&mark, 4);
	assert_int_equal(record_reader_next(&reader, &record, &size), RECORD_MORE);
	assert_true(reader.partial_capacity <= 1024);
	record_reader_free(&reader);
}

/* A grown buffer is released after its record: thousands of idle connections hold little. */
static void large_memory_is_given_back(void **state)
{
	size_t size = 1u << 20;
	uint8_t *stream = calloc(1, size + 4);
	uint32_t mark = htonl(0x80000000u | (uint32_t)size);
	struct record_reader reader;
	const uint8_t *record;
	size_t record_size;

	(void)state;
	memcpy(stream, &mark, 4);
	record_reader_init(&reader, size);
	record_reader_feed(&reader, stream, size);
	assert_int_equal(record_reader_next(&reader, &record, &record_size), RECORD_MORE);
	record_reader_feed(&reader, stream + size, 4);
	assert_int_equal(record_reader_next(&reader, &record, &record_size), RECORD_WHOLE);
	assert_int_equal(record_size, size);
	assert_int_equal(record_reader_next(&reader, &record, &record_size), RECORD_MORE);
	assert_true(reader.partial_capacity <= 4096);
	record_reader_free(&reader);
	free(stream);
}

static void put_numbers(XDR *xdr, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		u_int number = first + i;

		assert_true(xdr_u_int(xdr, &number));
	}
}

/* Several records, taken out in uneven pieces while more are written, come out as they went in. */
static void writer_and_reader_agree(void **state)
{
	struct record_writer writer;
	struct record_reader reader;
	uint8_t *stream = malloc(1u << 20);
	size_t streamed = 0;
	const uint8_t *bytes;
	size_t size;

	(void)state;
	record_writer_init(&writer, 65536);
	for (unsigned i = 0; i < 200; i++) {
		put_numbers(record_writer_begin(&writer), i, i + 1);
		record_writer_end(&writer);
		size = record_writer_pending(&writer, &bytes);
		size = size * (i % 4) / 4;
		memcpy(stream + streamed, bytes, size);
		streamed += size;
		record_writer_sent(&writer, size);
	}
	size = record_writer_pending(&writer, &bytes);
	memcpy(stream + streamed, bytes, size);
	streamed += size;
	record_writer_sent(&writer, size);
	assert_int_equal(record_writer_pending(&writer, &bytes), 0);

	record_reader_init(&reader, 65536);
	record_reader_feed(&reader, stream, streamed);
	for (unsigned i = 0; i < 200; i++) {
		const uint8_t *record;
		uint32_t word;

		assert_int_equal(record_reader_next(&reader, &record, &size), RECORD_WHOLE);
		assert_int_equal(size, 4 * (i + 1));
		memcpy(&word, record + size - 4, 4);
		assert_int_equal(ntohl(word), 2 * i);
	}
	record_reader_free(&reader);
	record_writer_free(&writer);
	free(stream);
}

/* The encoder matches libtirpc's memory stream, also for sizes that are not multiples of four. */
static void stream_encodes_like_libtirpc(void **state)
{
	char reference[256];
	XDR memory;
	struct record_writer writer;
	const uint8_t *bytes;

	(void)state;
	record_writer_init(&writer, 256);
	xdrmem_create(&memory, reference, sizeof reference, XDR_ENCODE);
	XDR *both[] = {record_writer_begin(&writer), &memory};

	for (int i = 0; i < 2; i++) {
		char *text = (char[]){"five."};
		u_int length = 5;
		int64_t hyper = -12345678901;
		int32_t *words;

		assert_true(xdr_bytes(both[i], &text, &length, 100));
		assert_true(xdr_int64_t(both[i], &hyper));
		words = XDR_INLINE(both[i], 8);
		assert_non_null(words);
		IXDR_PUT_INT32(words, -1);
		IXDR_PUT_INT32(words, 7);
	}
	assert_int_equal(xdr_getpos(both[0]), xdr_getpos(&memory));
	record_writer_end(&writer);
	assert_int_equal(record_writer_pending(&writer, &bytes), 4 + xdr_getpos(&memory));
	assert_memory_equal(bytes + 4, reference, xdr_getpos(&memory));
	record_writer_free(&writer);
}

static void writer_keeps_its_limit_and_aborts_clean(void **state)
{
	struct record_writer writer;
	const uint8_t *bytes;
	u_int number = 1;

	(void)state;
	record_writer_init(&writer, 8);
	put_numbers(record_writer_begin(&writer), 0, 2);
	record_writer_end(&writer);
	assert_int_equal(record_writer_pending(&writer, &bytes), 12);

	XDR *xdr = record_writer_begin(&writer);

	put_numbers(xdr, 0, 2);
	assert_false(xdr_u_int(xdr, &number));
	assert_null(XDR_INLINE(xdr, 4));
	assert_int_equal(record_writer_pending(&writer, &bytes), 12); /* a partial record never leaves */
	record_writer_abort(&writer);
	assert_int_equal(record_writer_pending(&writer, &bytes), 12);
	record_writer_free(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_records_however_cut),
		cmocka_unit_test(whole_record_is_not_copied),
		cmocka_unit_test(stash_keeps_the_rest),
		cmocka_unit_test(refuses_what_is_over_the_limit),
		cmocka_unit_test(a_mark_alone_costs_no_memory),
		cmocka_unit_test(large_memory_is_given_back),
		cmocka_unit_test(writer_and_reader_agree),
		cmocka_unit_test(stream_encodes_like_libtirpc),
		cmocka_unit_test(writer_keeps_its_limit_and_aborts_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
