/* The parts of all fuzzers' seeds: bytes, and the constant objects of a small cluster. */
#pragma once

#include <rpc/rpc.h>

#include "rpc/cluster/protocol.h"
#include "server/machine/machine.h"

#define BASE 540000000u

struct bytes {
	uint8_t at[65536];
	size_t size;
};

void bytes_put(struct bytes *bytes, const void *from, size_t size);
void bytes_put_u8(struct bytes *bytes, unsigned value);
void bytes_put_xdr(struct bytes *bytes, xdrproc_t encode, void *value);

/* To the file of that name in the fuzzer's corpus. */
void seed_save(const char *fuzzer, const char *what, const void *bytes, size_t size);
void seed_save_text(const char *fuzzer, const char *what, const char *text);

struct uuid seed_uuid(uint8_t byte);
/* Of the replicas 1, 2 and 3. */
struct view seed_view(uint64_t number, uint32_t primary);
/* The body of an order; out: LIMIT_BODY_BYTES. Returns its size. */
size_t seed_order(uint8_t *out, uint64_t request, const char *postcode);
/* The history that a replica begins with, and `count` orders after it. */
struct machine *seed_history(unsigned count);

/* seeds_calls.c: what clients, replicas and the front-end say to each other */
void seed_calls(void);
/* seeds_files.c: what stands on disks, and texts of others */
void seed_files(void);
