/* Text fitted to a terminal: broken between words, never within one, and a command to type is never broken at all. Pure. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Prints each line of `text` in at most so many columns (0: any number); what follows on from a line begins `indent`
 * columns further in. A word that is wider stands alone, whole. A command in `backquotes` that does not fit where it
 * stands has a line of its own, without the backquotes: who copies that line can paste it. */
void layout_text(FILE *out, const char *text, size_t columns, size_t indent);

/* The same for text that anybody may have written: backquotes mean nothing in it. */
void layout_words(FILE *out, const char *text, size_t columns, size_t indent);

/* The rows of a terminal that text takes, which wraps what is wider than `columns` (> 0). A last line without line end
 * counts. Escape sequences that end in `m` take no room. */
size_t layout_rows(const char *text, size_t columns);

/* The cells of one line: as text_columns, but escape sequences take none. */
size_t layout_cells(const char *line, size_t size);
