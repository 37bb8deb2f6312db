#include "server/disk/disk_records.h"

#include <string.h>

#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"
#include "rpc/disk.h"
#include "server/disk/journal.h"

static bool append_record(struct journal *journal, uint64_t ticket, jh_disk_record *record)
{
	char bytes[32768];
	XDR xdr;

	xdrmem_create(&xdr, bytes, sizeof bytes, XDR_ENCODE);
	must(xdr_jh_disk_record(&xdr, record));
	return journal_append(journal, ticket, bytes, xdr_getpos(&xdr));
}

static bool append_meta(struct journal *journal, const struct replica *replica, uint32_t program_base, uint64_t ticket)
{
	struct replica_meta meta;
	jh_disk_record record = {.kind = JH_DISK_META};
	jh_disk_meta *wire = &record.jh_disk_record_u.meta;

	replica_meta_now(replica, &meta);
	wire->id = meta.id;
	wire->program_base = program_base;
	wire->uuid = convert_uuid_to_wire(meta.uuid);
	/* RULE 20: together with its view */
	wire->bound = convert_uuid_to_wire(meta.bound);
	/* RULE 2 */
	convert_view_to_wire(&meta.view, &wire->view);
	wire->whole_view = meta.whole_view;
	/* RULE 14 */
	wire->tail_cut = meta.tail_cut;
	wire->fold_differs_op = meta.fold_differs_op;
	convert_joint_to_wire(meta.joint, meta.joint_count, &wire->joint.joint_len, &wire->joint.joint_val);

	bool queued = append_record(journal, ticket, &record);

	xdr_free((xdrproc_t)xdr_jh_disk_record, &record);
	return queued;
}

bool disk_meta_decode(const void *payload, uint32_t size, struct replica_meta *meta, uint32_t *program_base)
{
	jh_disk_record record = {0};
	const jh_disk_meta *wire = &record.jh_disk_record_u.meta;
	XDR xdr;

	xdrmem_create(&xdr, (char *)(uintptr_t)payload, size, XDR_DECODE);

	bool good = xdr_jh_disk_record(&xdr, &record) && record.kind == JH_DISK_META &&
		    convert_view_from_wire(&wire->view, &meta->view) &&
		    convert_joint_from_wire(wire->joint.joint_val, wire->joint.joint_len, meta->joint,
					    &meta->joint_count);

	if (good) {
		meta->id = wire->id;
		*program_base = wire->program_base;
		meta->uuid = convert_uuid_from_wire(wire->uuid);
		meta->bound = convert_uuid_from_wire(wire->bound);
		meta->whole_view = wire->whole_view;
		meta->tail_cut = wire->tail_cut;
		meta->fold_differs_op = wire->fold_differs_op;
	}
	xdr_free((xdrproc_t)xdr_jh_disk_record, &record);
	return good;
}

static bool append_batch(struct journal *journal, const struct replica *replica, const struct replica_write *write)
{
	static struct journal_entry entries[LIMIT_PUSH_ENTRIES];
	const struct replica_write_batch *from = &write->batch;
	struct journal_batch batch = {.base_op = from->base_op, .base_digest = from->base_digest,
				      .durable_op = from->durable_op, .commit = from->commit,
				      .staged = write->kind == WRITE_STAGED};
	uint32_t count = (uint32_t)(from->last_op - from->base_op);

	must(from->last_op - from->base_op <= LIMIT_PUSH_ENTRIES);
	for (uint32_t i = 0; i < count; i++) {
		struct replica_entry entry = replica_entry_at(replica, from->base_op + 1 + i);

		entries[i] = (struct journal_entry){.view = entry.view, .body = entry.body, .size = entry.size};
	}
	return journal_append_batch(journal, write->ticket, &batch, entries, count);
}

static bool append_state(struct journal *journal, const struct replica_write *write)
{
	jh_disk_record record = {.kind = JH_DISK_STATE};
	jh_disk_state *state = &record.jh_disk_record_u.state;

	state->op = write->state.op;
	state->digest = convert_digest_to_wire(write->state.digest);
	state->last_op = write->state.last_op;
	return append_record(journal, write->ticket, &record);
}

bool disk_record_append(struct journal *journal, const struct replica *replica, uint32_t program_base,
			const struct replica_write *write)
{
	switch (write->kind) {
	case WRITE_META:
		return append_meta(journal, replica, program_base, write->ticket);
	case WRITE_BATCH:
	case WRITE_STAGED:
		return append_batch(journal, replica, write);
	case WRITE_STATE:
		return append_state(journal, write);
	}
	return false;
}
