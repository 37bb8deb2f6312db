/* The chain digest: digest(op) covers the body of op and, through digest(op - 1), every body before it. Equal digests
 * at one op mean equal histories up to it (XXH3, 128 bits: protects against accidents, not against an adversary). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT_SIZE 33

struct digest {
	uint64_t low;
	uint64_t high;
};

static inline bool digest_equal(struct digest a, struct digest b)
{
	return a.low == b.low && a.high == b.high;
}

/* The plain digest of some bytes. */
struct digest digest_of(const void *bytes, size_t size);

/* The digest of a history that ends in body, given the digest of everything before it. The digest of an empty history
 * is all zero. */
struct digest digest_chain(struct digest before, const void *body, size_t size);

/* 32 hexadecimal digits and a NUL; returns text. */
const char *digest_format(struct digest digest, char text[static DIGEST_TEXT_SIZE]);
