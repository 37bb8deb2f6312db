#include "server/replica/log.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

struct replica_log {
	struct log_entry *ring;
	uint64_t room;          /* a power of two */
	uint64_t base_op;
	uint64_t last_op;
	struct digest base_digest;
	uint64_t bytes;         /* of entries held, with their overhead */
};

static uint64_t entry_bytes(const struct log_entry *entry)
{
	return sizeof *entry + entry->size + 16;
}

struct replica_log *replica_log_new(void)
{
	struct replica_log *log = calloc(1, sizeof *log);

	must_allocate(log);
	log->room = 1024;
	log->ring = calloc(log->room, sizeof *log->ring);
	must_allocate(log->ring);
	return log;
}

void replica_log_free(struct replica_log *log)
{
	if (log == NULL)
		return;
	replica_log_cut(log, log->base_op);
	free(log->ring);
	free(log);
}

void replica_log_reset(struct replica_log *log, uint64_t base_op, struct digest base_digest)
{
	replica_log_cut(log, log->base_op);
	must(log->bytes == 0);
	log->base_op = base_op;
	log->last_op = base_op;
	log->base_digest = base_digest;
}

static struct log_entry *slot(const struct replica_log *log, uint64_t op)
{
	return &log->ring[op & (log->room - 1)];
}

static void grow(struct replica_log *log)
{
	uint64_t room = log->room * 2;
	struct log_entry *ring = calloc(room, sizeof *ring);

	must_allocate(ring);
	for (uint64_t op = log->base_op + 1; op <= log->last_op; op++)
		ring[op & (room - 1)] = *slot(log, op);
	free(log->ring);
	log->ring = ring;
	log->room = room;
}

struct log_entry *replica_log_append(struct replica_log *log, uint64_t view, const uint8_t *body, uint32_t size)
{
	struct digest before;

	must(replica_log_digest(log, log->last_op, &before));
	if (log->last_op - log->base_op == log->room)
		grow(log);

	struct log_entry *entry = slot(log, ++log->last_op);

	*entry = (struct log_entry){.view = view, .size = size, .digest = digest_chain(before, body, size)};
	entry->body = malloc(size);
	must_allocate(entry->body);
	memcpy(entry->body, body, size);
	log->bytes += entry_bytes(entry);
	return entry;
}

void replica_log_cut(struct replica_log *log, uint64_t op)
{
	must(op >= log->base_op);
	while (log->last_op > op) {
		struct log_entry *entry = slot(log, log->last_op--);

		must(log->bytes >= entry_bytes(entry));
		log->bytes -= entry_bytes(entry);
		free(entry->body);
		entry->body = NULL;
	}
}

void replica_log_trim(struct replica_log *log, uint64_t through, uint64_t bytes_max)
{
	must(through <= log->last_op);
	while (log->bytes > bytes_max && log->base_op < through) {
		struct log_entry *entry = slot(log, ++log->base_op);

		log->base_digest = entry->digest;
		must(log->bytes >= entry_bytes(entry));
		log->bytes -= entry_bytes(entry);
		free(entry->body);
		entry->body = NULL;
	}
}

uint64_t replica_log_base(const struct replica_log *log)
{
	return log->base_op;
}

uint64_t replica_log_last(const struct replica_log *log)
{
	return log->last_op;
}

struct log_entry *replica_log_at(const struct replica_log *log, uint64_t op)
{
	must(op > log->base_op);
	must(op <= log->last_op);
	return slot(log, op);
}

bool replica_log_digest(const struct replica_log *log, uint64_t op, struct digest *digest)
{
	if (op < log->base_op || op > log->last_op)
		return false;
	*digest = op == log->base_op ? log->base_digest : slot(log, op)->digest;
	return true;
}
