/* Words of XDR (RFC 4506), read and written in place: by hand instead of through libtirpc, because every order of a
 * start and of a catch-up passes through here. Batches of the journal and snapshots consist of the same words. Of
 * operations only the one canonical encoding is accepted, so that equal operations
 * have equal bytes and digests, and repeats are recognised. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed, and not NUL-terminated. */
struct text_span {
	const char *bytes;
	uint32_t size;
};

struct decoder {
	const uint8_t *at;
	size_t left;
};

struct encoder {
	uint8_t *at;
	size_t left;
	bool failed; /* no room, or a text over its limit: nothing more is written */
};

static inline void encode_word(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof value);
}

static inline void encode_hyper(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof value);
}

static inline uint32_t decode_word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return be32toh(value);
}

static inline uint64_t decode_hyper(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return be64toh(value);
}

static inline uint32_t encoding_padded(uint32_t size)
{
	return (size + 3) & ~(uint32_t)3;
}

/* False when the rest is too short. */
bool decoder_word(struct decoder *decoder, uint32_t *value);
bool decoder_hyper(struct decoder *decoder, uint64_t *value);
/* opaque<limit>: false when it is longer, truncated, or padded with anything but zeros. */
bool decoder_text(struct decoder *decoder, uint32_t limit, struct text_span *text);

void encoder_bytes(struct encoder *encoder, const void *bytes, size_t size);
void encoder_word(struct encoder *encoder, uint32_t value);
void encoder_hyper(struct encoder *encoder, uint64_t value);
void encoder_text(struct encoder *encoder, uint32_t limit, struct text_span text);
