/* The one converter between rpcgen's structs (rpc/replica.x) and the plain types of rpc/cluster/protocol.h, and it
 * alone decides what to trust from the wire: ids in range, members sorted and unique, counts in bounds, enum values
 * that exist, texts that may be printed. It refuses to know what a value means for the protocol (which view is
 * current, who may say it).
 *
 * Memory: *_to_wire overwrites `wire` with pointers into malloc'ed memory; xdr_free((xdrproc_t)xdr_jh_..., wire)
 * frees it. *_from_wire only borrows `wire` and copies. When one returns false, `wire` was invalid and the output is
 * undefined. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/cluster/protocol.h"
#include "rpc/frontend.h"
#include "rpc/replica.h"
#include "rpc/shop.h"

/* --- texts, uuids, digests ---------------------------------------------------------------------------------------- */

/* Bytes from the wire, as another process wrote them, into a NUL-terminated text of `size` bytes that is safe to print
 * on one line (ESCAPE_LINE of rpc/base/escape.h). Any jh_text: convert_text(b, sizeof b, t.jh_text_val, t.jh_text_len).
 * Returns to. */
const char *convert_text(char *to, size_t size, const char *bytes, u_int length);

/* A jh_text with a copy of `text`, cut to JH_TEXT_MAX; NULL is an empty one. */
jh_text convert_text_dup(const char *text);

jh_address convert_address_dup(const char *address);
/* Numeric addresses only, so that nothing from the wire is ever resolved: "192.0.2.7:40001", "[fe80::1%eth0]:40001". */
bool convert_address_from_wire(const jh_address *wire, char to[static LIMIT_ADDRESS_BYTES]);

jh_uuid convert_uuid_to_wire(struct uuid uuid);
struct uuid convert_uuid_from_wire(jh_uuid wire);
jh_digest convert_digest_to_wire(struct digest digest);
struct digest convert_digest_from_wire(jh_digest wire);

/* --- views, peers, identities ------------------------------------------------------------------------------------- */

void convert_expected_to_wire(const struct view *view, u_int *length, jh_expected **list);
void convert_view_to_wire(const struct view *view, jh_view *wire);
/* Number 0 ("none") only with nothing else; any other has a format, at least one member, its primary among them, and no nil
 * uuid. */
bool convert_view_from_wire(const jh_view *wire, struct view *view);

void convert_identity_to_wire(const struct identity *identity, jh_identity *wire);
/* id at most 4095 (0: a front-end), formats from low to high. Nil uuids, and no formats, are accepted: of the process that
 * is meant they mean "not known". */
bool convert_identity_from_wire(const jh_identity *wire, struct identity *identity);

void convert_peers_to_wire(const struct peers *peers, u_int *length, jh_peer **list);
/* Rising ids, each with uuid, incarnation and an address. */
bool convert_peers_from_wire(const jh_peer *list, u_int length, struct peers *peers);

void convert_joint_to_wire(const struct joint *joint, uint32_t count, u_int *length, jh_joint **list);
bool convert_joint_from_wire(const jh_joint *list, u_int length, struct joint joint[static LIMIT_REPLICAS],
			     uint32_t *count);

/* INSTALL_VIEW: an actual view (number above 0) and the peer list. */
void convert_install_to_wire(const struct view *view, const struct peers *peers, jh_install_args *wire);
bool convert_install_from_wire(const jh_install_args *wire, struct view *view, struct peers *peers);

/* --- reports ------------------------------------------------------------------------------------------------------ */

void convert_report_to_wire(const struct report *report, jh_report *wire);
bool convert_report_from_wire(const jh_report *wire, struct report *report);

/* A line of status. `report` may be NULL (nothing heard yet: only id, role, state and address are filled); `role` and
 * `member` are what the speaker thinks (a replica of itself, the front-end of others); `note` says why it is down or
 * foreign and may be empty. Free with xdr_jh_replica_row. */
void convert_row(uint32_t id, const struct report *report, enum replica_role role, bool member, const char *address,
		 uint64_t age_ms, const char *note, jh_replica_row *row);
