#include "support_journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/base/must.h"
#include "rpc/disk.h"
#include "server/disk/journal_segment.h"

#define PATIENCE_MS 20000

static void on_durable(void *context, uint64_t ticket)
{
	struct disk *disk = context;

	must(ticket > disk->durable);
	must(ticket < disk->next_ticket);
	disk->durable = ticket;
}

static void on_fatal(void *context, const char *line)
{
	struct disk *disk = context;

	must(strstr(line, disk->path) != NULL);
	must(!atomic_exchange(&disk->fatal, true));
}

/* Bodies name their op, so that a wrong one is detected. */
static void body_of(uint64_t op, uint8_t *body, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		body[i] = (uint8_t)(op * 31 + i * UINT64_C(7) + 1);
}

void disk_new(struct disk *disk)
{
	memset(disk, 0, sizeof *disk);
	scratch_new(disk->path);
	disk->base = event_base_new();
	disk->next_ticket = 1;
	disk->options = (struct journal_options){.base = disk->base,
						 .uuid = uuid_draw(),
						 .segment_bytes = 64 << 10,
						 .durable = on_durable,
						 .fatal = on_fatal,
						 .context = disk};
}

void disk_free(struct disk *disk)
{
	if (disk->journal != NULL)
		disk_close(disk);
	scratch_remove(disk->path);
	event_base_free(disk->base);
}

static void copy_file(int directory, const char *name, const char *to_directory)
{
	static uint8_t bytes[1 << 20];
	char target[SCRATCH_PATH_SIZE + 300];
	int from = openat(directory, name, O_RDONLY);
	ssize_t size;

	if (from < 0)
		return; /* the next segment has just got its name */
	snprintf(target, sizeof target, "%s/%s", to_directory, name);
	int to = open(target, O_WRONLY | O_CREAT | O_EXCL, 0600);

	must(to >= 0);
	while ((size = read(from, bytes, sizeof bytes)) > 0)
		must(write(to, bytes, (size_t)size) == size);
	must(size == 0);
	close(from);
	close(to);
}

void disk_copy(struct disk *copy, const struct disk *disk)
{
	DIR *listing = opendir(disk->path);

	must(listing != NULL);
	disk_new(copy);
	copy->options.uuid = disk->options.uuid;
	copy->op = disk->op;
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
		if (entry->d_name[0] != '.')
			copy_file(dirfd(listing), entry->d_name, copy->path);
	closedir(listing);
}

static void read_batch(struct disk *disk, struct journal_batch batch)
{
	struct journal_entry entry;
	uint64_t op = batch.base_op;

	disk->batches++;
	must(batch.base_digest.low == op * 3);
	must(batch.base_digest.high == op * 5);
	while (journal_batch_next(&batch, &entry)) {
		uint8_t body[8192];

		op++;
		body_of(op, body, entry.size);
		must(memcmp(body, entry.body, entry.size) == 0);
		must(entry.view == 7);
		disk->entries++;
	}
	if (disk->first_op == 0)
		disk->first_op = batch.base_op + 1;
	assert_true(disk->last_op == 0 || disk->last_op == batch.base_op);
	disk->last_op = op;
	disk->last_commit = batch.commit;
}

static bool read_record(void *context, const struct journal_record *record, char *error, size_t error_size)
{
	struct disk *disk = context;

	switch (record->kind) {
	case JH_DISK_META:
		disk->metas++;
		return true;
	case JH_DISK_STAGED:
		must(record->batch.staged);
		disk->staged++;
		return true;
	case JH_DISK_CUT:
		disk->cuts++;
		return true;
	case JH_DISK_STATE:
		disk->states++;
		disk->last_op = 0;
		return true;
	case JH_DISK_BATCH:
		if (disk->refuse) {
			snprintf(error, error_size, "the chain is broken");
			return false;
		}
		read_batch(disk, record->batch);
		return true;
	}
	must_not_reach("a record is of a kind that exists");
}

static void forget_read(struct disk *disk)
{
	disk->metas = disk->states = disk->staged = disk->cuts = disk->batches = disk->entries = disk->first_op = disk->last_op = 0;
}

enum journal_outcome disk_open(struct disk *disk)
{
	must(disk->journal == NULL);
	forget_read(disk);
	disk->next_ticket = 1;
	disk->durable = 0;
	disk->journal = journal_open(disk->path, &disk->options, read_record, disk, &disk->recovery);
	disk->op = disk->recovery.op;
	must((disk->journal != NULL) ==
	     (disk->recovery.outcome == JOURNAL_OK || disk->recovery.outcome == JOURNAL_TAIL_CUT));
	must((disk->recovery.error[0] == '\0') == (disk->recovery.outcome == JOURNAL_OK));
	return disk->recovery.outcome;
}

void disk_close(struct disk *disk)
{
	journal_close(disk->journal);
	disk->journal = NULL;
}

enum journal_outcome disk_check(struct disk *disk)
{
	forget_read(disk);
	journal_check(disk->path, read_record, disk, &disk->recovery);
	return disk->recovery.outcome;
}

uint64_t written_append_meta(struct disk *disk, uint32_t mark)
{
	uint8_t payload[96] = {[3] = JH_DISK_META};

	memcpy(payload + 4, &mark, sizeof mark);
	must(journal_append(disk->journal, disk->next_ticket, payload, sizeof payload));
	return disk->next_ticket++;
}

uint64_t written_append_state(struct disk *disk, uint64_t op)
{
	struct jh_disk_record record = {.kind = JH_DISK_STATE};
	uint8_t payload[64];
	XDR xdrs;

	record.jh_disk_record_u.state.op = op;
	record.jh_disk_record_u.state.last_op = op;
	xdrmem_create(&xdrs, (char *)payload, sizeof payload, XDR_ENCODE);
	must(xdr_jh_disk_record(&xdrs, &record));
	must(journal_append(disk->journal, disk->next_ticket, payload, xdr_getpos(&xdrs)));
	disk->op = op;
	return disk->next_ticket++;
}

uint64_t disk_append(struct disk *disk, uint32_t entries_count, uint32_t body_size)
{
	struct journal_entry entries[64];
	static uint8_t bodies[64][8192];
	struct journal_batch batch = {.base_op = disk->op,
				      .base_digest = {.low = disk->op * 3, .high = disk->op * 5},
				      .durable_op = disk->op,
				      .commit = disk->op};

	must(entries_count <= 64);
	for (uint32_t i = 0; i < entries_count; i++) {
		body_of(++disk->op, bodies[i], body_size);
		entries[i] = (struct journal_entry){.view = 7, .body = bodies[i], .size = body_size};
	}
	must(journal_append_batch(disk->journal, disk->next_ticket, &batch, entries, entries_count));
	return disk->next_ticket++;
}

void disk_wait(struct disk *disk, uint64_t ticket)
{
	while (disk->durable < ticket)
		must(event_base_loop(disk->base, EVLOOP_ONCE) == 0);
}

bool disk_until(const struct disk *disk, bool (*holds)(const struct disk *disk))
{
	for (int i = 0; i < PATIENCE_MS && !holds(disk); i++)
		usleep(1000);
	return holds(disk);
}

void disk_until_segments(const struct disk *disk, uint64_t most)
{
	for (int i = 0; i < PATIENCE_MS && journal_counters(disk->journal).segments > most; i++)
		usleep(1000);
	assert_true(journal_counters(disk->journal).segments <= most);
}

int disk_segment(const struct disk *disk, uint32_t from_newest, char *name)
{
	uint64_t newest = UINT64_MAX, below = UINT64_MAX;
	char path[SCRATCH_PATH_SIZE + 64], file[SEGMENT_NAME_SIZE];

	for (uint32_t i = 0; i <= from_newest; i++) {
		DIR *listing = opendir(disk->path);
		uint64_t first;

		below = newest;
		newest = 0;
		for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
			if (segment_name_parse(entry->d_name, &first) && first < below && first > newest)
				newest = first;
		closedir(listing);
		must(newest > 0);
	}
	snprintf(path, sizeof path, "%s/%s", disk->path, segment_name(newest, file));
	if (name != NULL)
		snprintf(name, SEGMENT_NAME_SIZE, "%s", file);
	int fd = open(path, O_RDWR);

	must(fd >= 0);
	return fd;
}
