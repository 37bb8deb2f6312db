/* Everything that goes to the journal, in the order of tickets. */
#pragma once

#include "server/replica/state.h"

/* Return the ticket of the write. */
uint64_t replica_write_meta(struct replica *r);
/* The log beyond what is written; replica_write_log leaves it for later while a batch is under way. */
void replica_write_log(struct replica *r);
void replica_write_log_now(struct replica *r);
/* The staged log becomes the log, in one record. */
void replica_write_replacement(struct replica *r);
/* Removes the entries above op from the log and from what is counted as written. */
void replica_cut(struct replica *r, uint64_t op);
/* Those up to this ticket are on disk. Their effect on what may be claimed happens here and nowhere else
 * (RULE 1, RULE 4). */
void replica_writes_completed(struct replica *r, uint64_t ticket);
bool replica_view_durable(const struct replica *r);
