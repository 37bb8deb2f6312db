#include "client/layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/text.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define COMMAND_INDENT 2

/* A line being filled. */
struct filling {
	FILE *out;
	size_t columns, indent;
	bool commands; /* backquotes mark them */
	size_t used; /* of the current line */
	bool blank;  /* it holds only its indentation */
};

static size_t cells_of(const char *bytes, size_t size)
{
	char *copy = strndup(bytes, size);
	size_t cells;

	must_allocate(copy);
	cells = text_columns(copy);
	free(copy);
	return cells;
}

static void put_spaces(struct filling *line, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fputc(' ', line->out);
	line->used += count;
}

static void begin_line(struct filling *line, size_t indent)
{
	fputc('\n', line->out);
	line->used = 0;
	line->blank = true;
	put_spaces(line, indent < line->columns ? indent : 0);
}

static void put(struct filling *line, const char *bytes, size_t size, size_t cells)
{
	fwrite(bytes, 1, size, line->out);
	line->used += cells;
	line->blank = false;
}

/* Together with the blanks before it, which are dropped at a line's end. */
static void put_word(struct filling *line, size_t blanks, const char *word, size_t size)
{
	size_t cells = cells_of(word, size);

	if (!line->blank && line->used + blanks + cells > line->columns)
		begin_line(line, line->indent);
	else
		put_spaces(line, blanks);
	put(line, word, size, cells);
}

/* Returns the rest of the text: a line break replaces punctuation. */
static const char *put_command(struct filling *line, const char *command, size_t size, const char *punctuation)
{
	const char *rest = command + size + 1;
	size_t cells = cells_of(command, size);
	size_t indent = line->indent + COMMAND_INDENT;

	if (!line->blank)
		begin_line(line, indent + cells <= line->columns ? indent : 0);
	put(line, command, size, cells);
	rest += strspn(rest, punctuation);
	rest += strspn(rest, " ");
	if (*rest)
		begin_line(line, line->indent);
	return rest;
}

/* Returns the length of the word at `word`. Sets *command and *command_size to the text in backquotes within it, or
 * *command to NULL; blanks in backquotes do not end the word. */
static size_t find_word(const char *word, const char **command, size_t *command_size)
{
	size_t size = strcspn(word, " "), before = strcspn(word, " `");
	const char *end = word[before] == '`' ? strchr(word + before + 1, '`') : NULL;

	*command = end ? word + before + 1 : NULL;
	if (!end)
		return size;
	*command_size = (size_t)(end - *command);
	return before + 2 + *command_size + strcspn(end + 1, " ");
}

static void lay_out_line(struct filling *line, const char *text)
{
	line->used = 0;
	line->blank = true;
	while (*text) {
		const char *command, *word = text + strspn(text, " ");
		size_t blanks = (size_t)(word - text), command_size, size = find_word(word, &command, &command_size);
		bool bracket = *word == '(';

		if (!line->commands) {
			size = strcspn(word, " ");
		} else if (command && line->used + blanks + cells_of(word, size) > line->columns) {
			if (command > word + 1 + bracket) /* something else precedes it */
				put_word(line, blanks, word, (size_t)(command - 1 - word));
			text = put_command(line, command, command_size, bracket ? ",;:.)" : ",;:.");
			continue;
		}
		if (size)
			put_word(line, blanks, word, size);
		text = word + size;
	}
	fputc('\n', line->out);
}

static void lay_out(FILE *out, const char *text, size_t columns, size_t indent, bool commands)
{
	while (*text) {
		size_t size = strcspn(text, "\n");
		char *copy = strndup(text, size);
		struct filling line = {.out = out, .columns = columns, .indent = indent, .commands = commands};

		must_allocate(copy);
		if (!columns || text_columns(copy) <= columns)
			fprintf(out, "%s\n", copy);
		else
			lay_out_line(&line, copy);
		free(copy);
		text += size + (text[size] == '\n');
	}
}

void layout_text(FILE *out, const char *text, size_t columns, size_t indent)
{
	lay_out(out, text, columns, indent, true);
}

void layout_words(FILE *out, const char *text, size_t columns, size_t indent)
{
	lay_out(out, text, columns, indent, false);
}

size_t layout_cells(const char *bytes, size_t size)
{
	size_t cells = 0;

	for (size_t at = 0; at < size;) {
		size_t visible = 0;

		while (at + visible < size && bytes[at + visible] != '\033')
			visible++;
		cells += cells_of(bytes + at, visible);
		at += visible;
		while (at < size && bytes[at] != 'm')
			at++;
		at += at < size;
	}
	return cells;
}

size_t layout_rows(const char *text, size_t columns)
{
	size_t rows = 0;

	must(columns > 0);
	while (*text) {
		size_t size = strcspn(text, "\n"), cells = layout_cells(text, size);

		rows += cells > columns ? (cells + columns - 1) / columns : 1;
		text += size + (text[size] == '\n');
	}
	return rows;
}
