/* A rig for tests of the view manager: fake replicas that consist of their report, and a clock. Replicas that are
 * alive answer hellos, heartbeats, bindings and installs; a view settles as soon as all its members are alive. Time
 * passes only in rig_wait. The rig decides nothing: every choice under test is the core's. */
#pragma once

#include <stddef.h>

#include "frontend/views/views.h"

#define RIG_REPLICAS 9

struct fake {
	bool registered;
	bool alive;
	bool hung;        /* connections stay, nothing is answered */
	bool cut;         /* connections break and none can be made, but are not refused: packets are dropped */
	bool stubborn;    /* does not enter the views that are installed */
	bool connected;
	struct uuid bound; /* nil: to nobody; then the hello of any other manager is answered BOUND */
	struct uuid session_with;
	struct identity identity;
	struct report report;
	int64_t clock_ahead_us; /* by how much its wall clock is ahead of ours */
	uint64_t installs;
	bool retired;     /* a heartbeat said so */
	bool hangs_once_bound; /* answers its BIND, and then nothing more */
	uint32_t robbed_of; /* when this one is bound, another manager binds that one; the end of its connection is
			       heard late */
};

struct rig {
	struct views *views;
	struct views_options options;
	struct views_actions actions; /* of the last step a test asked for */
	struct views_action *queue;   /* asked for, not yet done */
	size_t queued;
	bool draining;
	uint64_t deadline_ms;
	struct fake fakes[RIG_REPLICAS + 1];
	uint64_t now_ms;
	uint64_t floor;
	uint64_t drawn;
	bool hold_stores;      /* tests answer STORE themselves */
	bool fail_stores;
	uint64_t ticket;       /* of the STORE that waits; 0: none */
	struct views_stored disk;
	uint64_t stores;
	bool routed;
	uint32_t primary;
	uint64_t view;
	uint64_t routes;
	char hold[VIEWS_TEXT_SIZE];
	uint64_t answers;
	bool answer_ok;
	bool answer_unsure;
	char answer[VIEWS_TEXT_SIZE];
	uint64_t floor_resets;
	bool exited;
	char exit_text[VIEWS_TEXT_SIZE];
	uint64_t logs;
	char log[64][VIEWS_TEXT_SIZE]; /* the last lines */
	uint64_t cleaned;
};

struct uuid rig_uuid(uint32_t n);
void rig_options(struct rig *rig);
/* stored: NULL for a front-end without a view file. */
void rig_start(struct rig *rig, const struct views_stored *stored);
void rig_stop(struct rig *rig);
/* A cluster of the replicas 1..count in view 1, all members, 1 serving. */
void rig_cluster(struct rig *rig, uint32_t count);
/* The same, with the usual options. */
void rig_usual_cluster(struct rig *rig, uint32_t count);
/* One more replica comes, and is no member yet. */
void rig_join(struct rig *rig, uint32_t id);
/* The view file of such a cluster, and replicas that agree with it. */
void rig_stored(struct rig *rig, struct views_stored *stored, uint64_t number, uint32_t count);
void rig_step(struct rig *rig, struct views_event *event);
/* One event each, and then whatever follows from it at once. */
void rig_tick(struct rig *rig);
void rig_lost(struct rig *rig, uint32_t id, bool refused);
void rig_report(struct rig *rig, uint32_t id);
void rig_register(struct rig *rig, uint32_t id);
void rig_dump(struct rig *rig);
void rig_demand(struct rig *rig, uint64_t waiting);
void rig_kill(struct rig *rig, uint32_t id);
void rig_restart(struct rig *rig, uint32_t id);
/* A restart with an empty data directory. */
void rig_wipe(struct rig *rig, uint32_t id);
void rig_need(struct rig *rig, uint32_t from, enum need_kind kind, uint32_t about);
void rig_wait(struct rig *rig, uint64_t ms);
void rig_stored_event(struct rig *rig, bool ok);
void rig_switchover(struct rig *rig, uint32_t id);
void rig_remove(struct rig *rig, uint32_t id);
void rig_upgrade(struct rig *rig);
void rig_promote(struct rig *rig, uint32_t id, bool confirm);
const struct views_action *rig_did(const struct rig *rig, enum views_action_kind kind);
bool rig_logged(const struct rig *rig, const char *text);
bool rig_members(const struct rig *rig, const char *ids); /* "1 2 3" */
