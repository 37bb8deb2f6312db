/* Display of untrusted text, wherever it is shown: in a message, a log line, a status, a history. Invisible characters
 * (controls, zero width, soft hyphen, direction marks, tag characters, variation selectors) appear as \u{200b}, or
 * \x1b below U+0080, and bytes that are not UTF-8 as \xff. So the output shows exactly what is there, and nothing acts
 * on a terminal. Pure. */
#pragma once

#include <stddef.h>

enum escape {
	ESCAPE_TEXT,   /* text that a person wrote: a backslash is doubled, so that no escape can be forged */
	ESCAPE_STRICT, /* the same, and also every white space but the plain one: for refused text */
	ESCAPE_LINE    /* a line from another process, which contains such text: its backslashes stay; idempotent */
};

/* Room for the escaped form of so many bytes, with a NUL. */
#define ESCAPE_ROOM(size) (4 * (size) + 1)

/* Converts bytes (NULL only with size 0) to a NUL-terminated text of `room` (> 0) bytes; a longer one is cut at a
 * character or an escape. Returns to. */
const char *escape_into(char *to, size_t room, const void *bytes, size_t size, enum escape how);

/* A copy, to be freed by the caller. */
char *escape_dup(const void *bytes, size_t size, enum escape how);
