/* Lines of text, read in one way wherever they come from: order files, commands from a pipe, initial orders. A line ends
 * in LF or CR LF, the last one also at the end of the input. A byte order mark in front of all is left out, and so are
 * lines in which nothing can be seen and comments, which begin with #.
 *
 * A line is given whole or refused whole: with a NUL or a lone carriage return in it, or longer than any order, the half
 * before that is nobody's order. Whether the rest is UTF-8 is for who knows what it means (rpc/base/order_text.h). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LINES_BYTES_MAX 65536
#define LINES_ERROR_SIZE 128

struct lines;

struct line {
	char *text;        /* size bytes without the line's end, and a NUL; may be written to, until the next call */
	size_t size;
	uint64_t number;   /* of the line in the input, from 1 */
	const char *error; /* LINES_REFUSED: why, and in which column if it has one */
};

enum lines_found {
	LINES_ONE,
	LINES_REFUSED, /* the next one may be good */
	LINES_END,
	LINES_FAILED   /* errno; what was read of a line is dropped, `number` is the line's */
};

/* Borrows the file, which is not closed. Reads at most one line ahead of what stdio does. */
struct lines *lines_new(FILE *file);
enum lines_found lines_next(struct lines *lines, struct line *line);
void lines_free(struct lines *lines);
