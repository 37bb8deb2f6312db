/* The log in memory: entries first .. last with their chain digests, and the digest just before the first. Entries
 * already applied stay for a while, for backups that lag. Owns its entries' bodies. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/digest.h"

struct log_entry {
	uint64_t view;
	struct digest digest;   /* of the history up to and including this entry */
	uint8_t *body;
	uint32_t size;
	uint32_t waiter;        /* list of the calls that wait for this op; see waiters.h */
};

struct replica_log;

struct replica_log *replica_log_new(void);
void replica_log_free(struct replica_log *log);

/* Empties the log; the next entry is base_op + 1. */
void replica_log_reset(struct replica_log *log, uint64_t base_op, struct digest base_digest);

/* Appends op last + 1; copies the body. */
struct log_entry *replica_log_append(struct replica_log *log, uint64_t view, const uint8_t *body, uint32_t size);

/* Removes the entries above op (op >= base). */
void replica_log_cut(struct replica_log *log, uint64_t op);

/* Forgets old entries up to `through` while the log holds more than bytes_max. */
void replica_log_trim(struct replica_log *log, uint64_t through, uint64_t bytes_max);

/* base_op: the op before the first entry held. */
uint64_t replica_log_base(const struct replica_log *log);
uint64_t replica_log_last(const struct replica_log *log);

/* base < op <= last. */
struct log_entry *replica_log_at(const struct replica_log *log, uint64_t op);

/* base <= op <= last, else false. */
bool replica_log_digest(const struct replica_log *log, uint64_t op, struct digest *digest);
