/* A page that is redrawn in place, on a terminal that takes escape sequences. No mode of the terminal is changed, the
 * cursor stays visible and colours end in their line: whatever ends the program, a signal or a failing write, nothing
 * has to be restored. */
#pragma once

#include <stddef.h>

/* The rows of standard output available above `below` (text, already wrapped; "" for none). */
size_t screen_rows(const char *below);

/* Draws text on standard output from the top left corner and clears the rest; lines that do not fit are left out. */
void screen_draw(const char *text);

/* Replaces the current line of standard error by `facts`, which are separated by two blanks: as many as fit, because a
 * wrapped line could not be overwritten. "" clears it. */
void screen_progress(const char *facts);
