/* 128-bit identifiers: of clients, replicas, clusters, managers, incarnations. Compared, printed and parsed here;
 * drawn only by uuid_draw, which the pure cores never call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define UUID_TEXT_SIZE 37

struct uuid {
	uint8_t bytes[16];
};

/* A random (version 4, RFC 4122) uuid from getrandom(2). */
struct uuid uuid_draw(void);

/* Writes the 36 characters of RFC 4122 and a NUL; returns text. */
const char *uuid_format(struct uuid uuid, char text[static UUID_TEXT_SIZE]);

/* False when text is not 36 characters of RFC 4122 form. */
bool uuid_parse(const char *text, struct uuid *uuid);

static inline bool uuid_equal(struct uuid a, struct uuid b)
{
	return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static inline bool uuid_is_nil(struct uuid uuid)
{
	static const struct uuid nil;

	return uuid_equal(uuid, nil);
}
