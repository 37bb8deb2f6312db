/* Snapshots that are damaged, cut, missing, too large or newer are distinguished and never loaded, with one line that
 * says which it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "server/disk/snapshot_format.h"
#include "support_snapshot.h"

struct file {
	uint8_t bytes[8192];
	size_t size;
};

static void read_file(const char *path, struct file *file)
{
	int from = open(path, O_RDONLY);
	ssize_t size = read(from, file->bytes, sizeof file->bytes);

	assert_in_range(size, 1, sizeof file->bytes - 1);
	file->size = (size_t)size;
	close(from);
}

static enum snapshot_outcome outcome_of_bytes(const struct file *file, size_t size)
{
	char path[256];

	snprintf(path, sizeof path, "%s/copy", directory);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(to, file->bytes, size), size);
	close(to);
	return outcome_of(path, 1000);
}

/* A small snapshot of several chunks. */
static void make_file(struct file *file)
{
	struct machine *machine = make_orders(4, 20);
	struct snapshot_summary summary = summary_of(machine);
	struct snapshot_writer *writer = snapshot_begin(directory, SNAPSHOT_INCOMING, 0, error, sizeof error);
	uint8_t chunk[700];

	for (uint64_t next = 0; next < 24;) {
		size_t size = history_encode(machine_history(machine), next, 20, &next, chunk, sizeof chunk);

		assert_true(snapshot_append(writer, chunk, size, error, sizeof error));
	}
	assert_true(snapshot_finish(writer, &summary, error, sizeof error));
	assert_true(snapshot_publish(directory, SNAPSHOT_INCOMING, 20, error, sizeof error));
	read_file(path_of(20), file);
	machine_free(machine);
}

/* Every byte changed, every length cut, something added, chunks exchanged: damaged, with one line that names the
 * file. */
static void damage_is_noticed(void **state)
{
	const size_t chunk = HEADER_BYTES + FRAME_BYTES;
	struct file file, bad;

	(void)state;
	make_file(&file);
	assert_int_equal(outcome_of_bytes(&file, file.size), SNAPSHOT_LOADED);
	for (size_t at = 0; at < file.size; at++)
		for (int bit = 0; bit < 8; bit += 7) {
			bool other = at >= 8 && at < 12;
			bool older = at == 11 && bit == 0 && (SNAPSHOT_FORMAT ^ 1) < SNAPSHOT_FORMAT;

			bad = file;
			bad.bytes[at] ^= (uint8_t)(1 << bit);
			assert_int_equal(outcome_of_bytes(&bad, file.size),
					 older ? SNAPSHOT_OLDER_FORMAT :
					 other ? SNAPSHOT_NEWER_FORMAT : SNAPSHOT_DAMAGED);
			assert_non_null(strstr(error, directory));
			assert_null(strchr(error, '\n'));
			if (at >= chunk && at < chunk + decode_word(file.bytes + HEADER_BYTES))
				assert_non_null(strstr(error, "the checksum of chunk 1 of 4"));
		}
	for (size_t size = 0; size < file.size; size++)
		assert_int_equal(outcome_of_bytes(&file, size), SNAPSHOT_DAMAGED);
	bad = file;
	bad.bytes[file.size] = 0;
	assert_int_equal(outcome_of_bytes(&bad, file.size + 1), SNAPSHOT_DAMAGED);

	/* The first two chunks exchanged, with correct numbers: whole chunks, but another history. */
	uint8_t *first = bad.bytes + HEADER_BYTES;
	size_t size = FRAME_BYTES + decode_word(first);

	bad = file;
	assert_int_equal(decode_word(first + size), decode_word(first));
	memcpy(first, file.bytes + HEADER_BYTES + size, size);
	memcpy(first + size, file.bytes + HEADER_BYTES, size);
	encode_word(first + 4, 1);
	encode_word(first + size + 4, 2);
	assert_int_equal(outcome_of_bytes(&bad, file.size), SNAPSHOT_DAMAGED);
}

/* A header with a valid checksum that does not describe what follows is damage too. */
static void wrong_announcements_are_noticed(void **state)
{
	struct file file, bad;

	(void)state;
	make_file(&file);
	for (size_t at = 16; at < 72; at += 8) {
		bad = file;
		encode_hyper(bad.bytes + at, decode_hyper(bad.bytes + at) + 1);
		encode_hyper(bad.bytes + HEADER_BYTES - 8, XXH3_64bits(bad.bytes, HEADER_BYTES - 8));
		assert_int_equal(outcome_of_bytes(&bad, file.size), SNAPSHOT_DAMAGED);
	}
}

/* Newer is not damaged: the version is higher, whatever else it says, because the meaning of that may have changed.
 * Nor is older, nor are these: missing, more orders than allowed, and unreadable ones. */
static void other_troubles_are_told_apart(void **state)
{
	struct file file, newer = {.size = 300};

	(void)state;
	make_file(&file);
	memcpy(newer.bytes, file.bytes, 16);
	encode_word(newer.bytes + 8, SNAPSHOT_FORMAT + 1);
	encode_word(newer.bytes + 12, 256);
	encode_hyper(newer.bytes + 248, XXH3_64bits(newer.bytes, 248));
	assert_int_equal(outcome_of_bytes(&newer, newer.size), SNAPSHOT_NEWER_FORMAT);
	assert_non_null(strstr(error, "upgrade"));
	newer.bytes[100] ^= 1;
	assert_int_equal(outcome_of_bytes(&newer, newer.size), SNAPSHOT_NEWER_FORMAT);
	encode_word(newer.bytes + 8, SNAPSHOT_FORMAT - 1);
	assert_int_equal(outcome_of_bytes(&newer, newer.size), SNAPSHOT_OLDER_FORMAT);
	assert_non_null(strstr(error, "older"));

	assert_int_equal(outcome_of(path_of(20), 24), SNAPSHOT_LOADED);
	assert_int_equal(outcome_of(path_of(20), 23), SNAPSHOT_TOO_LARGE);
	assert_non_null(strstr(error, "--max-orders"));
	assert_int_equal(outcome_of(path_of(21), 24), SNAPSHOT_MISSING);
	assert_int_equal(outcome_of(directory, 24), SNAPSHOT_IO_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(damage_is_noticed),
		IN_DIRECTORY(wrong_announcements_are_noticed),
		IN_DIRECTORY(other_troubles_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
