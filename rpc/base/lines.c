#include "rpc/base/lines.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/shortage.h"
#include "rpc/base/utf8.h"

#define MARK "\xef\xbb\xbf"
#define MARK_BYTES 3
#define ROOM (MARK_BYTES + LINES_BYTES_MAX + 1) /* and a carriage return */

struct lines {
	FILE *file;
	uint64_t number;
	char error[LINES_ERROR_SIZE];
	char text[ROOM + 1];
};

struct lines *lines_new(FILE *file)
{
	struct lines *lines = malloc(sizeof *lines);

	must_allocate(lines);
	lines->file = file;
	lines->number = 0;
	return lines;
}

void lines_free(struct lines *lines)
{
	free(lines);
}

/* Reads to the end of the line. Bytes beyond the room are dropped, but counted. */
static enum lines_found take(struct lines *lines, size_t *whole)
{
	int c;

	*whole = 0;
	lines->number++;
	while ((c = getc_unlocked(lines->file)) != EOF && c != '\n') {
		if (*whole < ROOM)
			lines->text[*whole] = (char)c;
		++*whole;
	}
	if (c == EOF && ferror(lines->file))
		return LINES_FAILED;
	return c == EOF && *whole == 0 ? LINES_END : LINES_ONE;
}

/* As an editor counts, from 1: characters, and each invalid byte. */
static size_t column_of(const struct line *line, size_t at)
{
	size_t column = 1, step;
	uint32_t character;

	for (size_t i = 0; i < at; i += step, column++) {
		step = utf8_take((const uint8_t *)line->text + i, line->size - i, &character);
		step = step > 0 ? step : 1;
	}
	return column;
}

static bool refused_for(struct lines *lines, const struct line *line, char character, const char *what)
{
	const char *found = memchr(line->text, character, line->size);

	if (!found)
		return false;
	snprintf(lines->error, sizeof lines->error, "column %zu is %s", column_of(line, (size_t)(found - line->text)),
		 what);
	return true;
}

static bool is_comment(const struct line *line)
{
	size_t blanks = 0;

	while (blanks < line->size && (line->text[blanks] == ' ' || line->text[blanks] == '\t'))
		blanks++;
	return blanks < line->size && line->text[blanks] == '#';
}

static bool refused(struct lines *lines, const struct line *line, size_t whole)
{
	if (line->number == 1 && line->size >= 2 &&
	    (memcmp(line->text, "\xff\xfe", 2) == 0 || memcmp(line->text, "\xfe\xff", 2) == 0)) {
		snprintf(lines->error, sizeof lines->error, "this is UTF-16: save it as UTF-8");
		return true;
	}
	if (refused_for(lines, line, '\0', "a NUL byte") ||
	    refused_for(lines, line, '\r', "a carriage return without a line feed: lines end in LF or CR LF"))
		return true;
	if (whole <= LINES_BYTES_MAX || is_comment(line))
		return false;
	snprintf(lines->error, sizeof lines->error, "the line is longer than %d bytes", LINES_BYTES_MAX);
	return true;
}

enum lines_found lines_next(struct lines *lines, struct line *line)
{
	size_t whole;

	for (;;) {
		enum lines_found found = take(lines, &whole);

		*line = (struct line){.text = lines->text, .size = whole < ROOM ? whole : ROOM, .number = lines->number,
				      .error = lines->error};
		if (found != LINES_ONE)
			return found;
		if (line->number == 1 && line->size >= MARK_BYTES && memcmp(line->text, MARK, MARK_BYTES) == 0) {
			line->text += MARK_BYTES;
			line->size -= MARK_BYTES;
			whole -= MARK_BYTES;
		}
		if (whole == line->size && whole > 0 && line->text[whole - 1] == '\r')
			whole = --line->size;
		line->text[line->size] = '\0';
		if (refused(lines, line, whole))
			return LINES_REFUSED;
		if (!is_comment(line) && !utf8_blank(line->text, line->size))
			return LINES_ONE;
	}
}
