/* The protocol's types as plain records: what the pure cores (server/replica/, frontend/views/) and their shells pass
 * to each other. rpc/cluster/convert.h alone translates between these and what rpcgen made of rpc/replica.x. No
 * pointers to wire memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "rpc/base/limits.h"
#include "rpc/base/uuid.h"
#include "rpc/cluster/figures.h"
#include "rpc/cluster/format_range.h"

/* A configuration of the cluster (PacificA's "configuration", VR's "view"). Made by the view manager only. */
struct view_member {
	uint32_t id;                         /* 1 .. 4095 */
	struct uuid uuid;                    /* of its data directory */
	char address[LIMIT_ADDRESS_BYTES];   /* its address when the view was made */
};

/* A replica that was admitted once and that no operator has removed since: a copy that should exist. Which copies do
 * exist is what the members say. */
struct expected {
	uint32_t id;
	int64_t lost_us; /* wall clock, since when it has not been a member; 0: it is one */
};

struct keeper {
	uint64_t epoch;       /* from 1; rises with each keeper */
	struct uuid uuid;     /* of its directory */
};

struct view {
	uint64_t number;      /* 0: none */
	uint32_t format;      /* in use; only rises */
	uint32_t primary;     /* id */
	char name[LIMIT_CLUSTER_NAME_BYTES + 1]; /* of the cluster; may be empty */
	struct uuid cluster;
	struct uuid generation;
	struct uuid manager;
	struct keeper keeper;
	struct uuid maker;    /* of the front-end that made this view */
	uint32_t members_count;
	struct view_member members[LIMIT_REPLICAS]; /* rising id, each id once */
	uint32_t expected_count;
	struct expected expected[LIMIT_REPLICAS];   /* rising id, each id once */
};

/* NULL when no such member. */
const struct view_member *view_member_by_id(const struct view *view, uint32_t id);
/* The member must have both: an id that came back with another uuid is another replica (rule 3). */
const struct view_member *view_member_exact(const struct view *view, uint32_t id, struct uuid uuid);
const struct expected *view_expects(const struct view *view, uint32_t id);
bool view_equal(const struct view *a, const struct view *b);

enum replica_role { ROLE_NONE = 0, ROLE_PRIMARY = 1, ROLE_BACKUP = 2, ROLE_LEARNER = 3, ROLE_DOWN = 4, ROLE_FOREIGN = 5 };

/* See enum jh_state in rpc/replica.x. */
enum replica_state {
	STATE_IDLE = 0,
	STATE_SETTLING = 1,
	STATE_SERVING = 2,
	STATE_FOLLOWING = 3,
	STATE_CATCHING_UP = 4,
	STATE_NEED_NEW_VIEW = 5,
	STATE_DEPOSED = 6,
	STATE_DAMAGED = 7
};

const char *replica_role_name(enum replica_role role);
const char *replica_state_name(enum replica_state state);

enum need_kind { NEED_EVICT = 1, NEED_ADMIT = 2, NEED_LOST_DATA = 3, NEED_FULL = 4, NEED_FOLD = 5 };

/* Why a serving primary takes no orders now: the values of enum jh_reason in rpc/shop.x that it may give. */
enum refusing { REFUSING_NONE = 0, REFUSING_FULL = 6, REFUSING_DISK_FULL = 7, REFUSING_TOO_FEW = 8 };

struct need {
	enum need_kind kind;
	uint64_t view;
	uint32_t id;
	struct uuid uuid;
};

struct joint {
	uint32_t id;
	struct uuid uuid;
};

/* The address of a replica, as the front-end found it. */
struct peer {
	uint32_t id;
	struct uuid uuid;
	struct uuid incarnation;
	char address[LIMIT_ADDRESS_BYTES];
};

struct peers {
	uint32_t count;
	struct peer list[LIMIT_REPLICAS];
};

/* How a row's state begins when its replica is down but somebody is there. jh_replica_row has no field by which a
 * program could tell such states apart, so client/row_state.c reads these beginnings, and no other file does: decisions
 * are made on an enum beside the text. */
#define OTHER_FORMAT_TEXT "speaks cluster format" /* which side must be upgraded follows */
#define REFUSED_HELLO_TEXT "refused our hello"
#define OTHER_PROCESS_TEXT "another process answers"

/* A replica's answer to a hello: enum jh_hello_status of rpc/replica.x, and one value that the wire does not have. */
enum hello_status {
	HELLO_OK = 0,
	HELLO_FORMAT = 1,
	HELLO_NOT_ME = 2,
	HELLO_CLUSTER = 3,
	HELLO_BOUND = 4,
	HELLO_OTHER_FORMAT = 5 /* HELLO_FORMAT with another cluster format: the text says whom to upgrade */
};

/* See enum jh_purpose in rpc/replica.x. */
enum purpose { PURPOSE_NONE = 0, PURPOSE_MANAGER = 1, PURPOSE_PUSH = 2, PURPOSE_GOSSIP = 3, PURPOSE_BACKUP = 4 };

/* The speaker of a hello, or the process it is meant for (rule 17). */
struct identity {
	struct format_range formats; /* that its program speaks */
	uint32_t format;             /* in use, as far as it knows; 0: it knows no view */
	uint32_t program_base;
	uint32_t id; /* 0: a front-end, */
	uint32_t frontend; /* and its number; 0: the only one */
	enum purpose purpose; /* of the connection */
	struct uuid uuid;
	struct uuid incarnation;
	struct uuid cluster;
	struct uuid generation;
	char version[LIMIT_VERSION_BYTES + 1];
};

/* The format that is in use, as far as either knows: it only rises, so the higher one is the newer. 0: none is yet. */
uint32_t identity_format_in_use(const struct identity *a, const struct identity *b);
/* Whether the two can talk in that format, or if it is 0 in any. */
bool format_range_agrees(struct format_range theirs, struct format_range ours, uint32_t in_use);
/* What to say of `them` when they do not agree: "speaks cluster format 2, the front-end 3: upgrade the replica". them, us:
 * how the text names the two. Returns text. */
const char *format_range_explain(struct format_range theirs, struct format_range ours, uint32_t in_use, const char *them,
				 const char *us, char *text, size_t size);

#define REPORT_TEXT_SIZE 160

/* A replica's report about itself; see jh_report in rpc/replica.x for each field. */
struct report {
	uint64_t news;
	uint32_t id;
	struct uuid uuid;
	struct view view;
	enum replica_role role;
	enum replica_state state;
	bool entered;
	uint64_t whole_view;
	uint64_t op;
	uint64_t commit;
	uint64_t digest_op;
	struct digest digest;
	uint64_t tail_cut;
	uint64_t pending;
	uint32_t write_age_ms;
	bool disk_full;
	bool stopping;
	uint64_t orders_max;
	enum refusing refusing;
	uint32_t refusing_id;
	int64_t clock_us;
	uint64_t time_suspect_op;
	uint64_t fold_differs_op;
	uint64_t fold_equal_op;
	char version[LIMIT_VERSION_BYTES + 1];
	char push[REPORT_TEXT_SIZE];
	char detail[REPORT_TEXT_SIZE];
	char frontend[LIMIT_ADDRESS_BYTES];
	uint32_t frontend_age_ms;
	bool managed;
	uint32_t joint_count;
	struct joint joint[LIMIT_REPLICAS];
	uint32_t needs_count;
	struct need needs[LIMIT_REPLICAS];
	struct figures figures;
};
