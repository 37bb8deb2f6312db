/* Golden bytes: each format as it was when it was given its number, kept in tests/golden/NUMBER/NAME.hex (see
 * tests/golden/README.md). A test encodes a sample and names the number that would have to be raised; this compares,
 * and fails with the name. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOLDEN_BYTES 65536

/* A number of docs/formats.md. */
struct golden_number {
	const char *name;   /* "JH_DISK_FORMAT" */
	unsigned int value; /* its present value */
	const char *folder; /* in tests/golden: folder-value */
};

struct golden {
	const struct golden_number *number;
	const char *file; /* NAME of NAME.hex */
	const char *what; /* for people: "disk.x: record META" */
};

struct golden_bytes {
	size_t size;
	uint8_t at[GOLDEN_BYTES];
};

/* Byte by byte. Fails the test when the golden file is missing, or differs. With JH_GOLDEN_WRITE in the environment a
 * missing one is written; an existing one is never changed. */
void golden_equal(const struct golden *golden, const struct golden_bytes *now);

/* The kept bytes; fails the test when there are none. */
void golden_read(const struct golden *golden, struct golden_bytes *kept);

void golden_put(struct golden_bytes *bytes, const void *from, size_t size);

/* The encoded sample equals the kept bytes; and these decode, completely, to something that encodes to them again: no
 * field is lost, none is new. size: of the C type. */
void golden_xdr(const struct golden *golden, xdrproc_t convert, void *sample, size_t size);

/* The same for what follows a head of head->size bytes, which must equal the kept one, too. */
void golden_xdr_behind(const struct golden *golden, const struct golden_bytes *head, xdrproc_t convert, void *sample,
		       size_t size);
