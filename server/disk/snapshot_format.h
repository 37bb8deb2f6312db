/* The layout of a snapshot file, as described in snapshot.h, for its writer and its reader. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

#include "server/disk/snapshot.h"

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

static inline void put_32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof value);
}

static inline void put_64(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof value);
}

static inline uint32_t get_32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return be32toh(value);
}

static inline uint64_t get_64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return be64toh(value);
}

/* The trailer's checksum, extended by one chunk. */
static inline uint64_t chain_checksum(uint64_t before, uint64_t chunk)
{
	uint8_t link[16];

	put_64(link, before);
	put_64(link + 8, chunk);
	return XXH3_64bits(link, sizeof link);
}
