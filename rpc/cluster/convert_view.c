/* Views, peers and identities: the second half of rpc/cluster/convert.h. */
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/utf8.h"
#include "rpc/cluster/convert_internal.h"

void convert_expected_to_wire(const struct view *view, u_int *length, jh_expected **list)
{
	must(view->expected_count <= LIMIT_REPLICAS);
	*length = view->expected_count;
	*list = convert_array(view->expected_count, sizeof(jh_expected));
	for (uint32_t i = 0; i < view->expected_count; i++)
		(*list)[i] = (jh_expected){.id = view->expected[i].id, .lost_us = view->expected[i].lost_us};
}

void convert_view_to_wire(const struct view *view, jh_view *wire)
{
	must(view->members_count <= LIMIT_REPLICAS);
	wire->number = view->number;
	wire->primary = view->primary;
	wire->cluster = convert_uuid_to_wire(view->cluster);
	wire->generation = convert_uuid_to_wire(view->generation);
	wire->manager = convert_uuid_to_wire(view->manager);
	wire->format = view->format;
	wire->name.name_len = (u_int)strnlen(view->name, LIMIT_CLUSTER_NAME_BYTES);
	wire->name.name_val = convert_copy(view->name, wire->name.name_len);
	wire->keeper = (jh_keeper){.epoch = view->keeper.epoch, .uuid = convert_uuid_to_wire(view->keeper.uuid)};
	wire->maker = convert_uuid_to_wire(view->maker);
	wire->members.members_len = view->members_count;
	wire->members.members_val = convert_array(view->members_count, sizeof(jh_member));
	for (uint32_t i = 0; i < view->members_count; i++) {
		jh_member *member = &wire->members.members_val[i];

		member->id = view->members[i].id;
		member->uuid = convert_uuid_to_wire(view->members[i].uuid);
		member->address = convert_address_dup(view->members[i].address);
	}
	convert_expected_to_wire(view, &wire->expected.expected_len, &wire->expected.expected_val);
}

static bool members_from_wire(const jh_view *wire, struct view *view)
{
	if (wire->members.members_len > LIMIT_REPLICAS)
		return false;
	for (u_int i = 0; i < wire->members.members_len; i++) {
		const jh_member *from = &wire->members.members_val[i];
		struct view_member *to = &view->members[i];

		if (!convert_replica_id_good(from->id) || (i > 0 && from->id <= view->members[i - 1].id))
			return false;
		to->id = from->id;
		to->uuid = convert_uuid_from_wire(from->uuid);
		if (uuid_is_nil(to->uuid) || !convert_address_from_wire(&from->address, to->address))
			return false;
		for (u_int k = 0; k < i; k++) {
			if (uuid_equal(view->members[k].uuid, to->uuid))
				return false; /* a copied data directory is no second copy */
		}
	}
	view->members_count = wire->members.members_len;
	return true;
}

static bool expected_from_wire(const jh_view *wire, struct view *view)
{
	if (wire->expected.expected_len > LIMIT_REPLICAS)
		return false;
	for (u_int i = 0; i < wire->expected.expected_len; i++) {
		const jh_expected *from = &wire->expected.expected_val[i];

		if (!convert_replica_id_good(from->id) || (i > 0 && from->id <= view->expected[i - 1].id))
			return false;
		view->expected[i] = (struct expected){.id = from->id, .lost_us = from->lost_us};
	}
	view->expected_count = wire->expected.expected_len;
	return true;
}

/* The name is stored and said again, so what cannot be shown is refused, not escaped. */
static bool name_from_wire(const jh_view *wire, struct view *view)
{
	if (wire->name.name_len > LIMIT_CLUSTER_NAME_BYTES || !utf8_valid_text(wire->name.name_val, wire->name.name_len))
		return false;
	if (wire->name.name_len > 0)
		memcpy(view->name, wire->name.name_val, wire->name.name_len);
	return true;
}

bool convert_view_from_wire(const jh_view *wire, struct view *view)
{
	memset(view, 0, sizeof *view);
	view->number = wire->number;
	view->primary = wire->primary;
	view->cluster = convert_uuid_from_wire(wire->cluster);
	view->generation = convert_uuid_from_wire(wire->generation);
	view->manager = convert_uuid_from_wire(wire->manager);
	view->format = wire->format;
	view->keeper = (struct keeper){.epoch = wire->keeper.epoch, .uuid = convert_uuid_from_wire(wire->keeper.uuid)};
	view->maker = convert_uuid_from_wire(wire->maker);
	if (view->number > LIMIT_VIEW_NUMBER || !members_from_wire(wire, view) || !expected_from_wire(wire, view))
		return false; /* RULE 19 */

	if (!name_from_wire(wire, view))
		return false;

	bool none = view->format == 0 && view->name[0] == '\0' && view->keeper.epoch == 0;
	bool nil = uuid_is_nil(view->cluster) && uuid_is_nil(view->generation) && uuid_is_nil(view->manager) &&
		   uuid_is_nil(view->keeper.uuid) && uuid_is_nil(view->maker);
	bool any_nil = uuid_is_nil(view->cluster) || uuid_is_nil(view->generation) || uuid_is_nil(view->manager) ||
		       uuid_is_nil(view->keeper.uuid) || uuid_is_nil(view->maker);

	if (view->number == 0)
		return view->primary == 0 && view->members_count == 0 && view->expected_count == 0 && none && nil;
	return view_member_by_id(view, view->primary) != NULL && !any_nil && view->keeper.epoch > 0 &&
	       view->keeper.epoch <= LIMIT_VIEW_NUMBER && view->format > 0 && view->format <= FORMAT_HIGHEST;
}

void convert_identity_to_wire(const struct identity *identity, jh_identity *wire)
{
	wire->format_low = identity->formats.low;
	wire->format_high = identity->formats.high;
	wire->format = identity->format;
	wire->frontend = identity->frontend;
	wire->purpose = (jh_purpose)identity->purpose;
	wire->program_version.program_version_val =
		convert_version_dup(identity->version, &wire->program_version.program_version_len);
	wire->program_base = identity->program_base;
	wire->id = identity->id;
	wire->uuid = convert_uuid_to_wire(identity->uuid);
	wire->incarnation = convert_uuid_to_wire(identity->incarnation);
	wire->cluster = convert_uuid_to_wire(identity->cluster);
	wire->generation = convert_uuid_to_wire(identity->generation);
}

bool convert_identity_from_wire(const jh_identity *wire, struct identity *identity)
{
	memset(identity, 0, sizeof *identity);
	identity->formats = (struct format_range){.low = wire->format_low, .high = wire->format_high};
	identity->format = wire->format;
	identity->frontend = wire->frontend;
	identity->purpose = (enum purpose)wire->purpose;
	convert_text(identity->version, sizeof identity->version, wire->program_version.program_version_val,
		     wire->program_version.program_version_len);
	identity->program_base = wire->program_base;
	identity->id = wire->id;
	identity->uuid = convert_uuid_from_wire(wire->uuid);
	identity->incarnation = convert_uuid_from_wire(wire->incarnation);
	identity->cluster = convert_uuid_from_wire(wire->cluster);
	identity->generation = convert_uuid_from_wire(wire->generation);
	return wire->id <= LIMIT_REPLICA_ID && (format_range_valid(identity->formats) || wire->format_high == 0) &&
	       (int)wire->purpose >= JH_PURPOSE_NONE && wire->purpose <= JH_PURPOSE_BACKUP && wire->format <= FORMAT_HIGHEST;
}

void convert_peers_to_wire(const struct peers *peers, u_int *length, jh_peer **list)
{
	must(peers->count <= LIMIT_REPLICAS);
	*length = peers->count;
	*list = convert_array(peers->count, sizeof(jh_peer));
	for (uint32_t i = 0; i < peers->count; i++) {
		(*list)[i].id = peers->list[i].id;
		(*list)[i].uuid = convert_uuid_to_wire(peers->list[i].uuid);
		(*list)[i].incarnation = convert_uuid_to_wire(peers->list[i].incarnation);
		(*list)[i].address = convert_address_dup(peers->list[i].address);
	}
}

bool convert_peers_from_wire(const jh_peer *list, u_int length, struct peers *peers)
{
	if (length > LIMIT_REPLICAS)
		return false;
	memset(peers, 0, sizeof *peers);
	peers->count = length;
	for (u_int i = 0; i < length; i++) {
		struct peer *to = &peers->list[i];

		if (!convert_replica_id_good(list[i].id) || (i > 0 && list[i].id <= list[i - 1].id))
			return false;
		to->id = list[i].id;
		to->uuid = convert_uuid_from_wire(list[i].uuid);
		to->incarnation = convert_uuid_from_wire(list[i].incarnation);
		if (uuid_is_nil(to->uuid) || uuid_is_nil(to->incarnation) ||
		    !convert_address_from_wire(&list[i].address, to->address) || to->address[0] == '\0')
			return false;
	}
	return true;
}

void convert_joint_to_wire(const struct joint *joint, uint32_t count, u_int *length, jh_joint **list)
{
	must(count <= LIMIT_REPLICAS);
	*length = count;
	*list = convert_array(count, sizeof(jh_joint));
	for (uint32_t i = 0; i < count; i++) {
		(*list)[i].id = joint[i].id;
		(*list)[i].uuid = convert_uuid_to_wire(joint[i].uuid);
	}
}

bool convert_joint_from_wire(const jh_joint *list, u_int length, struct joint joint[static LIMIT_REPLICAS],
			     uint32_t *count)
{
	if (length > LIMIT_REPLICAS)
		return false;
	for (u_int i = 0; i < length; i++) {
		joint[i].id = list[i].id;
		joint[i].uuid = convert_uuid_from_wire(list[i].uuid);
		if (!convert_replica_id_good(list[i].id) || uuid_is_nil(joint[i].uuid))
			return false;
	}
	*count = length;
	return true;
}

void convert_install_to_wire(const struct view *view, const struct peers *peers, jh_install_args *wire)
{
	must(view->number > 0);
	convert_view_to_wire(view, &wire->view);
	convert_peers_to_wire(peers, &wire->peers.peers_len, &wire->peers.peers_val);
}

bool convert_install_from_wire(const jh_install_args *wire, struct view *view, struct peers *peers)
{
	return convert_view_from_wire(&wire->view, view) && view->number > 0 &&
	       convert_peers_from_wire(wire->peers.peers_val, wire->peers.peers_len, peers);
}
