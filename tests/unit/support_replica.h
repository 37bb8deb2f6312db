/* For tests that step one replica's core by hand: a replica that calls itself 1, one peer that is 2, and what the last
 * step asked for. One rig at a time. Times do not pass unless a test says so. */
#pragma once

#include "server/replica/replica.h"

#define SELF 1
#define PEER 2

struct core_rig {
	struct replica *core;
	struct replica_actions actions; /* of the last step */
	uint64_t now_ms;
	uint64_t token;          /* the last one given */
	uint64_t written;        /* the last ticket asked for */
	struct view view;        /* number 2; to be installed or pushed */
	struct peers peers;      /* the front-end's list: where the peer is */
	uint64_t fold_op;        /* pushes and acknowledgements of the peer tell its fold as of this op; 0: none */
	uint64_t fold_wrong_from; /* from this op on ours is another one; 0: never */
	uint64_t fold_differs_op; /* as the disk holds it at the start */
	uint64_t executed_request, executed_op; /* all that the history knows, with any content; 0: nothing */
	enum replica_admission admission; /* what the state machine says of every request, where it is asked at all */
	uint64_t carried_out;    /* the state machine has applied this */
};
extern struct core_rig rig;

struct uuid named(uint8_t number);
/* Of what every replica was loaded with. */
struct digest initial_digest(void);
/* A lookup of the history: no request was ever executed. */
enum replica_known nothing_is_known(void *context, struct uuid client, uint64_t request, struct digest content,
				    uint64_t *op);

/* A replica whose disk holds so many entries of view 1, with the bodies 0, 1 ..., of which commit are known to be
 * committed; it was the primary and only member. With 0 it has never been in a view. orders_max is 8. */
void core_begin(uint32_t entries_count, uint64_t commit);
void core_begin_with(uint32_t entries_count, uint64_t commit, uint64_t orders_max);
/* Its state machine is asked whether it admits a request. */
void core_begin_admitting(uint32_t entries_count, uint64_t commit);
void core_end(void);

void core_step(struct replica_event *event);
/* The first of that kind in the last step; NULL: none. */
const struct replica_action *did(enum replica_action_kind kind);
/* Everything written so far is durable. */
void durable(void);
enum replica_state state_now(void);

/* rig.view gets the peer as a second member. */
void two_members(uint32_t primary);
void install(const struct view *view);
/* Primary of rig.view, durably. */
void lead(void);
/* The peer's connection is up; it holds nothing but what everybody was loaded with. whole_view 0: it is new. */
void peer_up(uint64_t whole_view);
void peer_up_with(const struct report *report);
/* It answers the last push. */
void acknowledge(uint64_t op);
void acknowledge_as(uint64_t view, uint8_t uuid, uint64_t op);
void acknowledge_with(const struct replica_ack *ack);
void submit(uint64_t view, uint8_t request);
/* The validation accepts the order of the last submit in that view; it leaves for the peer and for the own disk. */
void propose(uint64_t view, uint8_t request);
void query(uint64_t view, uint64_t floor);
/* A push from the peer of rig.view: entries of entry_view with the bodies first .. first + count - 1. */
void push(uint64_t base_op, struct digest base, uint64_t entry_view, uint8_t first, uint32_t count, uint64_t last_op,
	  uint64_t commit);
/* A primary without other members, which has never had an order. */
void core_leads_alone(void);
/* rig.view, under the number after it. */
struct view next_view(void);
/* A submit that is answered at once, without a validation. */
void submit_refused(uint64_t view, uint8_t request, enum replica_verdict verdict);
