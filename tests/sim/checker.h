/* What the checker is told and asked; it ends the run when a rule of docs/replication.md is broken. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/internal.h"

/* checker_operations.c */
void check_decides(struct world *w, uint64_t op, uint32_t body);
void check_folded(struct world *w, const struct node *node, uint64_t op);
const struct decided *check_decided(const struct client *client, uint64_t request); /* NULL: no entry has the number */
bool check_done_with(const struct client *client, uint64_t request, uint64_t content); /* it was executed */

/* checker.c, checker_clients.c */
void check_applied(struct world *w, const struct node *node, uint64_t op, uint32_t body);
void check_named(struct world *w, uint64_t view, uint64_t op, uint32_t body);
void check_answered(struct world *w, const struct node *node, const struct call *call,
		    const struct replica_answer *answer);
void check_spoken(struct world *w, const struct node *node, uint64_t view, const char *what);
void check_dated(struct world *w, const struct node *node, int64_t previous_us, int64_t time_us);
void check_acked(struct world *w, const struct node *node, const struct replica_ack *ack);
void check_told(struct world *w, struct client *client, const struct answering *answer);
void check_outcome(struct world *w, struct client *client);
void check_read(struct world *w, struct client *client, uint64_t op);
void check_accepted(struct world *w, const struct node *node, const struct call *call);
void check_released(struct world *w, const struct node *node, const struct call *call);
void check_token(struct world *w, struct call *call);
void check_report(struct world *w, const struct node *node, const struct report *report);
void check_node(struct world *w, struct node *node);

/* checker_views.c */
void check_record(struct world *w, const struct node *node, const struct replica_meta *meta);
void check_batch(struct world *w, const struct node *node, const struct record *record);
void check_bound(struct world *w, struct uuid manager);
void check_goes_on(struct world *w);
void check_stored(struct world *w, const struct view *before, const struct view *view);
bool check_any_hurt(const struct world *w);
const struct node *check_disk_of(const struct world *w, const struct view_member *member);
bool check_level(struct world *w, char *why, size_t size);
bool check_data_is_gone(struct world *w);
