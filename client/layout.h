/* Fits text to a terminal: lines are broken between words, never within one, and a command to type is never broken.
 * Pure. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Prints each line of `text` in at most so many columns (0: any number); continuation lines are indented by `indent`
 * more columns. A word that is wider stands alone, unbroken. A command in `backquotes` that does not fit gets a line
 * of its own, without the backquotes, so that this line can be copied and pasted. */
void layout_text(FILE *out, const char *text, size_t columns, size_t indent);

/* The same for untrusted text: backquotes have no meaning in it. */
void layout_words(FILE *out, const char *text, size_t columns, size_t indent);

/* The rows that text takes on a terminal that wraps lines wider than `columns` (> 0). A last line without line end
 * counts. Escape sequences that end in `m` take no room. */
size_t layout_rows(const char *text, size_t columns);

/* The cells of one line: as text_columns, but escape sequences count as none. */
size_t layout_cells(const char *line, size_t size);
