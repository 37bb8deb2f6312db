/* What a journal says of itself last: the META records of its newest segment that has one, whatever else is wrong with it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/disk/journal_newest.h"
#include "server/disk/journal_segment.h"
#include "tests/unit/support_journal.h"

struct heard {
	uint32_t count, last;
};

static void hear(void *context, const void *payload, uint32_t size)
{
	struct heard *heard = context;

	assert_true(size >= 8);
	memcpy(&heard->last, (const char *)payload + 4, sizeof heard->last);
	heard->count++;
}

static struct heard listen_to(const struct disk *disk)
{
	struct heard heard = {0};
	int directory = open(disk->path, O_RDONLY | O_DIRECTORY);

	assert_true(directory >= 0);
	journal_newest_metas(directory, hear, &heard);
	close(directory);
	return heard;
}

/* Several segments, the newest of which repeats META number 1, and then has number 2. */
static void begin(struct disk *disk)
{
	uint64_t last = 0;

	disk_new(disk);
	assert_int_equal(listen_to(disk).count, 0);
	assert_int_equal(disk_open(disk), JOURNAL_OK);
	written_append_meta(disk, 1);
	for (int i = 0; i < 100; i++)
		last = disk_append(disk, 10, 300);
	disk_wait(disk, last);
	assert_true(journal_counters(disk->journal).segments >= 3);
	disk_wait(disk, written_append_meta(disk, 2));
	disk_close(disk);
}

static void the_last_one_is_heard_last(void **state)
{
	struct disk disk;
	struct heard heard;

	(void)state;
	begin(&disk);
	heard = listen_to(&disk);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.last, 2);
	disk_free(&disk);
}

/* A segment that was begun when the process ended has none. */
static void a_segment_without_records_is_passed_over(void **state)
{
	static const uint8_t zeros[64];
	struct disk disk;
	struct heard heard;
	int segment;

	(void)state;
	begin(&disk);
	segment = disk_segment(&disk, 0, NULL);
	assert_int_equal(pwrite(segment, zeros, sizeof zeros, SEGMENT_DATA), sizeof zeros);
	close(segment);
	heard = listen_to(&disk);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.last, 1);

	segment = disk_segment(&disk, 0, NULL);
	assert_int_equal(ftruncate(segment, 100), 0);
	close(segment);
	assert_int_equal(listen_to(&disk).count, 1);
	disk_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_one_is_heard_last),
		cmocka_unit_test(a_segment_without_records_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
