#include "server/peers/push_wire.h"

#include "rpc/cluster/convert.h"
#include "server/machine/operation.h"

/* Only what can be applied may enter the log. */
static bool take_entries(const jh_push_args *args, struct replica_entry *entries)
{
	for (u_int i = 0; i < args->entries.entries_len; i++) {
		const jh_log_entry *entry = &args->entries.entries_val[i];
		int64_t time_us;

		if (!operation_key(entry->body.body_val, entry->body.body_len, NULL, NULL, NULL, &time_us))
			return false;
		entries[i] = (struct replica_entry){.view = entry->view, .body = (const uint8_t *)entry->body.body_val,
						    .size = entry->body.body_len};
	}
	return true;
}

bool push_from_wire(const jh_push_args *args, struct view *record, struct replica_entry *entries,
		    struct replica_push *push)
{
	*push = (struct replica_push){.view = args->view, .base_op = args->base_op,
				      .base_digest = convert_digest_from_wire(args->base_digest), .last_op = args->last_op,
				      .commit = args->commit, .fold_op = args->fold_op,
				      .fold = convert_digest_from_wire(args->fold), .entries_count = args->entries.entries_len, .entries = entries};
	/* Not base + count, which overflows for a base near the end of 64 bits. */
	if (args->base_op > args->last_op || args->entries.entries_len > args->last_op - args->base_op)
		return false;
	if (args->record != NULL) {
		if (!convert_view_from_wire(args->record, record) || !format_range_includes(FORMAT_RANGE_OWN, record->format))
			return false;
		push->record = record;
	}
	if (args->state != NULL) {
		if (args->state->op != args->base_op || args->state->initial_count > args->state->total)
			return false;
		push->has_state = true;
		push->state_first = args->state->first;
	}
	return take_entries(args, entries);
}
