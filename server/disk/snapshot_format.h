/* The layout of a snapshot file, as described in snapshot.h, for its writer and its reader. */
#pragma once

#include <stdint.h>
#include <xxhash.h>

#include "server/disk/snapshot.h"
#include "server/machine/encoding.h"

#define HEADER_BYTES 128
#define HEADER_BYTES_MAX 4096 /* of any future format */
#define FRAME_BYTES 16
#define MAGIC "JHSNAPSH"

struct snapshot_header {
	struct snapshot_summary summary;
	uint64_t orders_count;
	uint64_t bytes;
	uint64_t chunks;
};

/* Before each chunk; size 0: the trailer. */
struct frame {
	uint32_t size;
	uint32_t number;
	uint64_t checksum;
};

/* The trailer's checksum, extended by one chunk. */
static inline uint64_t chain_checksum(uint64_t before, uint64_t chunk)
{
	uint8_t link[16];

	encode_hyper(link, before);
	encode_hyper(link + 8, chunk);
	return XXH3_64bits(link, sizeof link);
}
