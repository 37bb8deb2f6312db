#include "rpc/base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/utf8.h"

#define ONE_SIZE 16

static bool shows(uint32_t character, enum escape how)
{
	if (utf8_unseen(character))
		return false;
	return how != ESCAPE_STRICT || character == ' ' || !utf8_space(character);
}

/* Writes one character, or one invalid byte, to out; returns how many bytes of `at` it represents. */
static size_t escape_one(const uint8_t *at, size_t left, enum escape how, char out[static ONE_SIZE], size_t *length)
{
	uint32_t character;
	size_t size = utf8_take(at, left, &character);

	if (size == 0)
		*length = (size_t)snprintf(out, ONE_SIZE, "\\x%02x", *at);
	else if (character == '\\' && how != ESCAPE_LINE)
		*length = (size_t)snprintf(out, ONE_SIZE, "\\\\");
	else if (!shows(character, how))
		*length = (size_t)snprintf(out, ONE_SIZE, character < 0x80 ? "\\x%02x" : "\\u{%x}", character);
	else
		memcpy(out, at, *length = size);
	return size > 0 ? size : 1;
}

const char *escape_into(char *to, size_t room, const void *bytes, size_t size, enum escape how)
{
	const uint8_t *at = bytes;
	size_t used = 0;

	must(room > 0);
	while (size > 0) {
		char one[ONE_SIZE];
		size_t length, taken = escape_one(at, size, how, one, &length);

		if (used + length >= room)
			break;
		memcpy(to + used, one, length);
		used += length;
		at += taken;
		size -= taken;
	}
	to[used] = '\0';
	return to;
}

char *escape_dup(const void *bytes, size_t size, enum escape how)
{
	char *copy = malloc(ESCAPE_ROOM(size));

	must_allocate(copy);
	escape_into(copy, ESCAPE_ROOM(size), bytes, size, how);
	return copy;
}
