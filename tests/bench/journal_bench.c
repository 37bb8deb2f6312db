/* What a journal costs: appends N records of B bytes, at most `depth` of them not yet durable, and prints the time from
 * append to completion on the loop and the syncs a second; then how fast the whole is read again.
 *   journal_bench DIR [RECORDS [BYTES [DEPTH [ENTRIES a record]]]] */
#include <dirent.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "rpc/disk.h"
#include "server/disk/journal.h"

struct bench {
	struct event_base *base;
	struct journal *journal;
	uint64_t records, depth, appended, done;
	uint32_t entries, bytes;
	uint64_t *started_us, *took_us;
	uint64_t op;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void append_more(struct bench *bench)
{
	static uint8_t body[8192];
	static struct journal_entry entries[8192];

	for (uint32_t i = 0; i < bench->entries; i++)
		entries[i] = (struct journal_entry){.view = 1, .body = body, .size = bench->bytes};
	while (bench->appended < bench->records && bench->appended - bench->done < bench->depth) {
		struct journal_batch batch = {.base_op = bench->op};

		bench->started_us[bench->appended++] = now_us();
		must(journal_append_batch(bench->journal, bench->appended + 1, &batch, entries, bench->entries));
		bench->op += bench->entries;
	}
}

static void on_durable(void *context, uint64_t ticket)
{
	struct bench *bench = context;
	uint64_t now = now_us();

	for (; bench->done + 1 < ticket; bench->done++)
		bench->took_us[bench->done] = now - bench->started_us[bench->done];
	if (bench->done == bench->records)
		event_base_loopbreak(bench->base);
	else
		append_more(bench);
}

static void on_fatal(void *context, const char *line)
{
	(void)context;
	fprintf(stderr, "journal_bench: %s\n", line);
	_exit(1);
}

static bool read_record(void *context, const struct journal_record *record, char *error, size_t error_size)
{
	struct journal_batch batch = record->batch;
	struct journal_entry entry;
	uint64_t *entries = context;

	(void)error;
	(void)error_size;
	if (record->kind == JH_DISK_BATCH)
		while (journal_batch_next(&batch, &entry))
			++*entries;
	return true;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static uint64_t argument(int argc, char **argv, int index, uint64_t otherwise)
{
	return index < argc ? strtoull(argv[index], NULL, 10) : otherwise;
}

static void report_recovery(const char *directory)
{
	struct journal_recovery recovery;
	uint64_t entries = 0, start = now_us();

	journal_check(directory, read_record, &entries, &recovery);
	printf("read again: outcome %d, %" PRIu64 " records, %" PRIu64 " entries, %.1f MB in %.1f ms %s\n",
	       recovery.outcome, recovery.records, entries, (double)recovery.bytes / 1e6,
	       (double)(now_us() - start) / 1e3, recovery.error);
}

int main(int argc, char **argv)
{
	static const uint8_t meta[64] = {[3] = JH_DISK_META};
	uint64_t ignored = 0;
	struct journal_recovery recovery;

	if (argc < 2) {
		fprintf(stderr, "usage: journal_bench DIR [RECORDS [BYTES [DEPTH [ENTRIES]]]]\n");
		return 2;
	}
	struct bench bench = {.base = event_base_new(),
			      .records = argument(argc, argv, 2, 5000),
			      .bytes = (uint32_t)argument(argc, argv, 3, 100),
			      .depth = argument(argc, argv, 4, 1),
			      .entries = (uint32_t)argument(argc, argv, 5, 1)};
	struct journal_options options = {
		.base = bench.base, .uuid = uuid_draw(), .durable = on_durable, .fatal = on_fatal, .context = &bench};

	mkdir(argv[1], 0700);
	bench.started_us = calloc(bench.records, sizeof *bench.started_us);
	bench.took_us = calloc(bench.records, sizeof *bench.took_us);
	uint64_t opening = now_us();

	bench.journal = journal_open(argv[1], &options, read_record, &ignored, &recovery);
	if (bench.journal == NULL) {
		fprintf(stderr, "journal_bench: %s\n", recovery.error);
		return 1;
	}
	bench.op = recovery.op;
	printf("opened in %.1f ms\n", (double)(now_us() - opening) / 1e3);
	must(journal_append(bench.journal, 1, meta, sizeof meta));
	uint64_t start = now_us();

	append_more(&bench);
	event_base_dispatch(bench.base);
	double seconds = (double)(now_us() - start) / 1e6;
	struct journal_counters counters = journal_counters(bench.journal);

	qsort(bench.took_us, bench.records, sizeof *bench.took_us, by_value);
	printf("%" PRIu64 " records of %" PRIu32 " x %" PRIu32 " bytes, depth %" PRIu64
	       ": append to completion p50 %" PRIu64 " p99 %" PRIu64 " max %" PRIu64
	       " us; %.0f records/s, %.0f syncs/s, %.1f MB/s, %" PRIu64 " segments\n",
	       bench.records, bench.entries, bench.bytes, bench.depth, bench.took_us[bench.records / 2],
	       bench.took_us[bench.records * 99 / 100], bench.took_us[bench.records - 1],
	       (double)bench.records / seconds, (double)counters.writes / seconds,
	       (double)counters.bytes / seconds / 1e6, counters.segments);
	journal_close(bench.journal);
	event_base_free(bench.base);
	report_recovery(argv[1]);
	free(bench.started_us);
	free(bench.took_us);
	return 0;
}
