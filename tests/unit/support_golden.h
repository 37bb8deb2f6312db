/* Golden bytes: what each format looked like when it was given its number, kept in tests/golden/NUMBER/NAME.hex (see
 * tests/golden/README.md). A test says what a sample encodes to today and names the number that would have to be raised;
 * this compares, and fails with the name. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOLDEN_BYTES 65536

/* A number of docs/formats.md. */
struct golden_number {
	const char *name;   /* "JH_DISK_FORMAT" */
	unsigned int value; /* as it is now */
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

/* Byte by byte. Fails the test when the golden file is missing, or says something else. With JH_GOLDEN_WRITE in the
 * environment a missing one is written; one that is there is never changed. */
void golden_equal(const struct golden *golden, const struct golden_bytes *now);

/* The bytes that are kept; fails the test when there are none. */
void golden_read(const struct golden *golden, struct golden_bytes *kept);

void golden_put(struct golden_bytes *bytes, const void *from, size_t size);

/* What the sample encodes to is what is kept; and what is kept decodes, whole, to something that encodes to it again: no
 * field is lost, none is new. size: of the C type. */
void golden_xdr(const struct golden *golden, xdrproc_t convert, void *sample, size_t size);

/* The same for what stands behind a head of head->size bytes, which must be as it is kept, too. */
void golden_xdr_behind(const struct golden *golden, const struct golden_bytes *head, xdrproc_t convert, void *sample,
		       size_t size);
