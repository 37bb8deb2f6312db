#include "server/disk/journal_batch.h"

#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/disk.h"
#include "server/machine/encoding.h"

#define HEAD_BYTES 48  /* kind, base_op, base_digest, durable_op, commit, entries' count */
#define ENTRY_BYTES 12 /* view, body's size */

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	encode_word(at, value);
	return at + sizeof value;
}

static uint8_t *put_u64(uint8_t *at, uint64_t value)
{
	encode_hyper(at, value);
	return at + sizeof value;
}

static const uint8_t *get_u32(const uint8_t *at, uint32_t *value)
{
	*value = decode_word(at);
	return at + sizeof *value;
}

static const uint8_t *get_u64(const uint8_t *at, uint64_t *value)
{
	*value = decode_hyper(at);
	return at + sizeof *value;
}

size_t journal_batch_size(const struct journal_entry *entries, uint32_t entries_count)
{
	size_t size = HEAD_BYTES;

	for (uint32_t i = 0; i < entries_count; i++)
		size += ENTRY_BYTES + encoding_padded(entries[i].size);
	return size;
}

void journal_batch_encode(const struct journal_batch *batch, const struct journal_entry *entries,
			  uint32_t entries_count, void *out)
{
	uint8_t *at = out;

	must(entries_count <= LIMIT_PUSH_ENTRIES);
	at = put_u32(at, batch->staged ? JH_DISK_STAGED : JH_DISK_BATCH);
	at = put_u64(at, batch->base_op);
	at = put_u64(at, batch->base_digest.low);
	at = put_u64(at, batch->base_digest.high);
	at = put_u64(at, batch->durable_op);
	at = put_u64(at, batch->commit);
	at = put_u32(at, entries_count);
	must(at == (uint8_t *)out + HEAD_BYTES);
	for (uint32_t i = 0; i < entries_count; i++) {
		must(entries[i].size <= LIMIT_BODY_BYTES);
		at = put_u64(at, entries[i].view);
		at = put_u32(at, entries[i].size);
		if (entries[i].size > 0)
			memcpy(at, entries[i].body, entries[i].size);
		memset(at + entries[i].size, 0, encoding_padded(entries[i].size) - entries[i].size);
		at += encoding_padded(entries[i].size);
	}
}

/* Advances past one entry; NULL when the bytes up to end are not a complete canonical one. */
static const uint8_t *read_entry(const uint8_t *at, const uint8_t *end, struct journal_entry *entry)
{
	if (end - at < ENTRY_BYTES)
		return NULL;
	at = get_u64(at, &entry->view);
	at = get_u32(at, &entry->size);
	if (entry->size > LIMIT_BODY_BYTES || (size_t)(end - at) < encoding_padded(entry->size))
		return NULL;
	entry->body = at;
	for (size_t i = entry->size; i < encoding_padded(entry->size); i++)
		if (at[i] != 0)
			return NULL;
	return at + encoding_padded(entry->size);
}

bool journal_batch_decode(const void *payload, size_t size, struct journal_batch *batch)
{
	const uint8_t *at = payload;
	uint32_t kind;
	struct journal_entry entry;

	if (size < HEAD_BYTES)
		return false;
	batch->end = at + size;
	at = get_u32(at, &kind);
	at = get_u64(at, &batch->base_op);
	at = get_u64(at, &batch->base_digest.low);
	at = get_u64(at, &batch->base_digest.high);
	at = get_u64(at, &batch->durable_op);
	at = get_u64(at, &batch->commit);
	at = get_u32(at, &batch->entries_count);
	batch->next = at;
	batch->staged = kind == JH_DISK_STAGED;
	if ((kind != JH_DISK_BATCH && !batch->staged) || batch->entries_count > LIMIT_PUSH_ENTRIES)
		return false;
	for (uint32_t i = 0; i < batch->entries_count; i++) {
		at = read_entry(at, batch->end, &entry);
		if (at == NULL)
			return false;
	}
	return at == batch->end;
}

bool journal_batch_next(struct journal_batch *batch, struct journal_entry *entry)
{
	if (batch->next == batch->end)
		return false;
	batch->next = read_entry(batch->next, batch->end, entry);
	must(batch->next != NULL); /* journal_batch_decode has checked it */
	return true;
}
