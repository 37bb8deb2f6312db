#include "rpc/cluster/convert_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/escape.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/figures_wire.h"

_Static_assert(JH_REPLICAS_MAX == LIMIT_REPLICAS, "one bound, two files");
_Static_assert(JH_ADDRESS_MAX == LIMIT_ADDRESS_BYTES, "one bound, two files");
_Static_assert(JH_VERSION_MAX == LIMIT_VERSION_BYTES, "one bound, two files");
_Static_assert(JH_CLUSTER_NAME_MAX == LIMIT_CLUSTER_NAME_BYTES, "one bound, two files");

/* --- texts, uuids, digests ---------------------------------------------------------------------------------------- */

const char *convert_text(char *to, size_t size, const char *bytes, u_int length)
{
	return escape_into(to, size, bytes, length, ESCAPE_LINE);
}

void *convert_copy(const void *bytes, size_t size)
{
	if (size == 0)
		return NULL;

	void *copy = malloc(size);

	must_allocate(copy);
	memcpy(copy, bytes, size);
	return copy;
}

void *convert_array(size_t count, size_t size)
{
	if (count == 0)
		return NULL;

	void *array = calloc(count, size);

	must_allocate(array);
	return array;
}

jh_text convert_text_dup(const char *text)
{
	char cut[JH_TEXT_MAX + 1];
	size_t length = text == NULL ? 0 : strlen(text);

	convert_text(cut, sizeof cut, text, (u_int)length);
	length = strlen(cut);
	return (jh_text){.jh_text_len = (u_int)length, .jh_text_val = convert_copy(cut, length)};
}

jh_uuid convert_uuid_to_wire(struct uuid uuid)
{
	jh_uuid wire;

	memcpy(wire.bytes, uuid.bytes, sizeof wire.bytes);
	return wire;
}

struct uuid convert_uuid_from_wire(jh_uuid wire)
{
	struct uuid uuid;

	memcpy(uuid.bytes, wire.bytes, sizeof uuid.bytes);
	return uuid;
}

static void put_u64(char *to, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		to[i] = (char)(value & 0xff);
}

static uint64_t get_u64(const char *from)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | (unsigned char)from[i];
	return value;
}

jh_digest convert_digest_to_wire(struct digest digest)
{
	jh_digest wire;

	put_u64(wire.bytes, digest.low);
	put_u64(wire.bytes + 8, digest.high);
	return wire;
}

struct digest convert_digest_from_wire(jh_digest wire)
{
	return (struct digest){.low = get_u64(wire.bytes), .high = get_u64(wire.bytes + 8)};
}

jh_address convert_address_dup(const char *address)
{
	size_t length = strnlen(address, LIMIT_ADDRESS_BYTES - 1);

	return (jh_address){.jh_address_len = (u_int)length, .jh_address_val = convert_copy(address, length)};
}

bool convert_address_from_wire(const jh_address *wire, char to[static LIMIT_ADDRESS_BYTES])
{
	if (wire->jh_address_len >= LIMIT_ADDRESS_BYTES)
		return false;
	for (u_int i = 0; i < wire->jh_address_len; i++) {
		char c = wire->jh_address_val[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c != '\0' && strchr(".:[]%-_", c) != NULL)))
			return false;
	}
	if (wire->jh_address_len > 0)
		memcpy(to, wire->jh_address_val, wire->jh_address_len);
	to[wire->jh_address_len] = '\0';
	return true;
}

bool convert_replica_id_good(u_int id)
{
	return id >= 1 && id <= LIMIT_REPLICA_ID;
}

char *convert_version_dup(const char *version, u_int *length)
{
	*length = (u_int)strnlen(version, LIMIT_VERSION_BYTES);
	return convert_copy(version, *length);
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

static void needs_to_wire(const struct report *report, jh_report *wire)
{
	must(report->needs_count <= LIMIT_REPLICAS);
	wire->needs.needs_len = report->needs_count;
	wire->needs.needs_val = convert_array(report->needs_count, sizeof(jh_need));
	for (uint32_t i = 0; i < report->needs_count; i++) {
		jh_need *need = &wire->needs.needs_val[i];

		need->kind = (jh_need_kind)report->needs[i].kind;
		need->view = report->needs[i].view;
		need->id = report->needs[i].id;
		need->uuid = convert_uuid_to_wire(report->needs[i].uuid);
	}
}

static bool needs_from_wire(const jh_report *wire, struct report *report)
{
	if (wire->needs.needs_len > LIMIT_REPLICAS)
		return false;
	report->needs_count = wire->needs.needs_len;
	for (u_int i = 0; i < wire->needs.needs_len; i++) {
		const jh_need *from = &wire->needs.needs_val[i];
		struct need *to = &report->needs[i];

		to->kind = (enum need_kind)from->kind;
		to->view = from->view;
		to->id = from->id;
		to->uuid = convert_uuid_from_wire(from->uuid);
		if ((int)from->kind < JH_NEED_EVICT || from->kind > JH_NEED_FOLD || !convert_replica_id_good(from->id) ||
		    uuid_is_nil(to->uuid))
			return false;
	}
	return true;
}

void convert_report_to_wire(const struct report *report, jh_report *wire)
{
	memset(wire, 0, sizeof *wire);
	wire->news = report->news;
	wire->id = report->id;
	wire->uuid = convert_uuid_to_wire(report->uuid);
	convert_view_to_wire(&report->view, &wire->view);
	wire->role = (jh_role)report->role;
	wire->state = (jh_state)report->state;
	wire->entered = report->entered;
	wire->whole_view = report->whole_view;
	wire->op = report->op;
	wire->commit = report->commit;
	wire->digest_op = report->digest_op;
	wire->digest = convert_digest_to_wire(report->digest);
	wire->tail_cut = report->tail_cut;
	wire->pending = report->pending;
	wire->write_age_ms = report->write_age_ms;
	wire->disk_full = report->disk_full;
	wire->stopping = report->stopping;
	wire->orders_max = report->orders_max;
	wire->refusing = (jh_reason)report->refusing;
	wire->refusing_id = report->refusing_id;
	wire->clock_us = report->clock_us;
	wire->time_suspect_op = report->time_suspect_op;
	wire->fold_differs_op = report->fold_differs_op;
	wire->fold_equal_op = report->fold_equal_op;
	wire->program_version.program_version_val =
		convert_version_dup(report->version, &wire->program_version.program_version_len);
	wire->push = convert_text_dup(report->push);
	wire->detail = convert_text_dup(report->detail);
	wire->frontend = convert_address_dup(report->frontend);
	wire->frontend_age_ms = report->frontend_age_ms;
	wire->managed = report->managed;
	convert_joint_to_wire(report->joint, report->joint_count, &wire->joint.joint_len, &wire->joint.joint_val);
	needs_to_wire(report, wire);
	figures_to_wire(&report->figures, &wire->figures.figures_len, &wire->figures.figures_val);
}

static bool refusing_good(jh_reason refusing)
{
	return refusing == JH_REASON_NONE || refusing == JH_REASON_FULL || refusing == JH_REASON_DISK_FULL ||
	       refusing == JH_REASON_TOO_FEW_MEMBERS;
}

bool convert_report_from_wire(const jh_report *wire, struct report *report)
{
	memset(report, 0, sizeof *report);
	report->news = wire->news;
	report->id = wire->id;
	report->uuid = convert_uuid_from_wire(wire->uuid);
	report->role = (enum replica_role)wire->role;
	report->state = (enum replica_state)wire->state;
	report->entered = wire->entered != FALSE;
	report->whole_view = wire->whole_view;
	report->op = wire->op;
	report->commit = wire->commit;
	report->digest_op = wire->digest_op;
	report->digest = convert_digest_from_wire(wire->digest);
	report->tail_cut = wire->tail_cut;
	report->pending = wire->pending;
	report->write_age_ms = wire->write_age_ms;
	report->disk_full = wire->disk_full != FALSE;
	report->stopping = wire->stopping != FALSE;
	report->orders_max = wire->orders_max;
	report->refusing = (enum refusing)wire->refusing;
	report->refusing_id = wire->refusing_id;
	report->clock_us = wire->clock_us;
	report->time_suspect_op = wire->time_suspect_op;
	report->fold_differs_op = wire->fold_differs_op;
	report->fold_equal_op = wire->fold_equal_op;
	convert_text(report->version, sizeof report->version, wire->program_version.program_version_val,
		     wire->program_version.program_version_len);
	convert_text(report->push, sizeof report->push, wire->push.jh_text_val, wire->push.jh_text_len);
	convert_text(report->detail, sizeof report->detail, wire->detail.jh_text_val, wire->detail.jh_text_len);
	report->frontend_age_ms = wire->frontend_age_ms;
	report->managed = wire->managed != FALSE;
	return convert_replica_id_good(wire->id) && !uuid_is_nil(report->uuid) && refusing_good(wire->refusing) &&
	       convert_address_from_wire(&wire->frontend, report->frontend) && (int)wire->role >= JH_ROLE_NONE &&
	       wire->role <= JH_ROLE_LEARNER && (int)wire->state >= JH_STATE_IDLE && wire->state <= JH_STATE_DAMAGED &&
	       convert_view_from_wire(&wire->view, &report->view) &&
	       convert_joint_from_wire(wire->joint.joint_val, wire->joint.joint_len, report->joint,
				       &report->joint_count) &&
	       needs_from_wire(wire, report) &&
	       figures_from_wire(wire->figures.figures_val, wire->figures.figures_len, &report->figures);
}

/* The text of a replica's state in status, with its details. */
static void state_text(const struct report *report, enum replica_role role, const char *note, char *text, size_t size)
{
	if (report == NULL || role == ROLE_DOWN || role == ROLE_FOREIGN)
		snprintf(text, size, "%s", note[0] != '\0' ? note : role == ROLE_FOREIGN ? "foreign" : "not heard yet");
	else if (report->state == STATE_DAMAGED && report->detail[0] != '\0')
		snprintf(text, size, "%s: %s", replica_state_name(report->state), report->detail);
	else if (report->fold_differs_op != 0)
		snprintf(text, size, "%s, computes another state (op %llu)", replica_state_name(report->state),
			 (unsigned long long)report->fold_differs_op);
	else
		snprintf(text, size, "%s", replica_state_name(report->state));
}

void convert_row(uint32_t id, const struct report *report, enum replica_role role, bool member, const char *address,
		 uint64_t age_ms, const char *note, jh_replica_row *row)
{
	char state[JH_TEXT_MAX];

	memset(row, 0, sizeof *row);
	state_text(report, role, note, state, sizeof state);
	row->id = id;
	row->role = (jh_role)role;
	row->state = convert_text_dup(state);
	row->member = member;
	row->address = convert_address_dup(address);
	row->age_ms = age_ms;
	if (report == NULL) {
		row->push = convert_text_dup(NULL);
		return;
	}
	row->uuid = convert_uuid_to_wire(report->uuid);
	row->view = report->view.number;
	row->op = report->op;
	row->commit = report->commit;
	row->digest_op = report->digest_op;
	row->digest = convert_digest_to_wire(report->digest);
	/* A former primary still reports its last push. */
	row->push = convert_text_dup(role == ROLE_PRIMARY ? report->push : NULL);
	row->frontend = convert_address_dup(report->frontend);
	row->frontend_age_ms = report->frontend_age_ms;
	row->managed = report->managed;
	figures_to_wire(&report->figures, &row->figures.figures_len, &row->figures.figures_val);
}
