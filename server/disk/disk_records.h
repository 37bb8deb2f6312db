/* The journal's records: from the core's words to the bytes of rpc/disk.x, and back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/replica/replica.h"

struct journal;

/* What a DO_WRITE of the core says. False: the journal's queue is full. */
bool disk_record_append(struct journal *journal, const struct replica *replica, uint32_t program_base,
			const struct replica_write *write);
/* Of a META record; false when the bytes are none. */
bool disk_meta_decode(const void *payload, uint32_t size, struct replica_meta *meta, uint32_t *program_base);
