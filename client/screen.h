/* What is drawn again and again in place, on a terminal that takes escape sequences. No mode of the terminal
 * is changed, the cursor stays visible and colours end in their line: whatever ends the program, a signal or a failing
 * write, nothing is left to be restored. */
#pragma once

#include <stddef.h>

/* The rows of standard output for what stands above `below` (text, already as wide as it will be; "" for none). */
size_t screen_rows(const char *below);

/* Draws text on standard output from the top left corner and clears the rest; lines that have no room are left out. */
void screen_draw(const char *text);

/* Standard error's present line becomes `facts`, which two blanks separate: as many as fit, because a line that wraps could
 * not be drawn over. "" clears it. */
void screen_progress(const char *facts);
