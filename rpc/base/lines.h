/* Lines of text, read in the same way whatever their source: order files, commands from a pipe, initial orders. A line
 * ends in LF or CR LF, the last one also at the end of the input. A byte order mark at the beginning is ignored, and
 * so are lines without a visible character and comments, which begin with #.
 *
 * A line is returned whole or refused whole: a line with a NUL or a lone carriage return, or longer than any order,
 * must not be taken for an order in part. Whether the rest is UTF-8 is checked by the parser of its contents
 * (rpc/base/order_text.h). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LINES_BYTES_MAX 65536
#define LINES_ERROR_SIZE 128

struct lines;

struct line {
	char *text;        /* size bytes without the line end, and a NUL; writable, valid until the next call */
	size_t size;
	uint64_t number;   /* of the line in the input, from 1 */
	const char *error; /* LINES_REFUSED: why, and in which column if there is one */
};

enum lines_found {
	LINES_ONE,
	LINES_REFUSED, /* the next line may be valid */
	LINES_END,
	LINES_FAILED   /* errno; a partially read line is dropped, `number` is its number */
};

/* Borrows the file, which is not closed. Reads at most one line ahead of stdio. */
struct lines *lines_new(FILE *file);
enum lines_found lines_next(struct lines *lines, struct line *line);
void lines_free(struct lines *lines);
