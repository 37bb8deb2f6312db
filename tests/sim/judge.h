/* What the judge is told, and what it is asked; it ends the run when a rule of docs/replication.md is broken. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/internal.h"

/* judge.c, judge_clients.c */
void judge_applied(struct world *w, const struct node *node, uint64_t op, uint32_t body);
void judge_named(struct world *w, uint64_t view, uint64_t op, uint32_t body);
void judge_answered(struct world *w, const struct node *node, const struct call *call,
		    const struct replica_answer *answer);
void judge_spoken(struct world *w, const struct node *node, uint64_t view, const char *what);
void judge_dated(struct world *w, const struct node *node, int64_t previous_us, int64_t time_us);
void judge_acked(struct world *w, const struct node *node, const struct replica_ack *ack);
const struct executed *judge_executed(const struct client *client, uint64_t request); /* NULL: it was not */
void judge_told(struct world *w, struct client *client, const struct answering *answer);
void judge_outcome(struct world *w, struct client *client);
void judge_read(struct world *w, struct client *client, uint64_t op);
void judge_accepted(struct world *w, const struct node *node, const struct call *call);
void judge_released(struct world *w, const struct node *node, const struct call *call);
void judge_token(struct world *w, struct call *call);
void judge_report(struct world *w, const struct node *node, const struct report *report);
void judge_node(struct world *w, struct node *node);

/* judge_views.c */
void judge_record(struct world *w, const struct node *node, const struct replica_meta *meta);
void judge_batch(struct world *w, const struct node *node, const struct record *record);
void judge_bound(struct world *w, struct uuid manager);
void judge_goes_on(struct world *w);
void judge_stored(struct world *w, const struct view *before, const struct view *view);
bool judge_any_hurt(const struct world *w);
const struct node *judge_disk_of(const struct world *w, const struct view_member *member);
bool judge_level(struct world *w, char *why, size_t size);
bool judge_data_is_gone(struct world *w);
