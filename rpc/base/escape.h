/* How the text of others is shown, wherever it is: in a message, a log line, a status, a history. What cannot be seen
 * (control characters, zero width, soft hyphen, marks of direction, tag characters, variation selectors) appears as
 * \u{200b}, or \x1b below U+0080, and bytes that are not UTF-8 as \xff: what is shown is what is there, and nothing acts
 * on a terminal. Pure. */
#pragma once

#include <stddef.h>

enum escape {
	ESCAPE_TEXT,   /* somebody's words: a backslash appears as two, so that no escape can be forged */
	ESCAPE_STRICT, /* the same, and every white space but the plain one too: for what is refused */
	ESCAPE_LINE    /* a line that others made, with such words in it: its backslashes stay; idempotent */
};

/* Room that any so many bytes fit into, with a NUL. */
#define ESCAPE_ROOM(size) (4 * (size) + 1)

/* bytes (NULL only with size 0) into a NUL-terminated text of `room` (> 0) bytes; what does not fit is cut at a character
 * or an escape. Returns to. */
const char *escape_into(char *to, size_t room, const void *bytes, size_t size, enum escape how);

/* A copy, to be freed by the caller. */
char *escape_dup(const void *bytes, size_t size, enum escape how);
