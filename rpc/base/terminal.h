/* The capabilities of a descriptor that people look at. Nothing is sent to a terminal to find out: only the kernel and
 * the environment are asked, each time anew, because windows change size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct terminal_size {
	size_t columns, rows; /* each at least 1 */
};

/* Does it take escape sequences? Not if it is no terminal, nor if it says that it does not (TERM unset, empty or
 * "dumb"), nor if the user wants none (NO_COLOR, https://no-color.org). */
bool terminal_takes_escapes(int fd);

/* The size that the terminal reports; where it is unknown (0 x 0, as with `docker exec`), COLUMNS and LINES, else 80 x
 * 24. */
struct terminal_size terminal_size(int fd);

/* Makes the help texts of argp fit standard output where that is narrower than usual; the user's own ARGP_HELP_FMT is
 * respected. */
void terminal_fit_help(void);

/* The columns that text is formatted for: the terminal's, else COLUMNS when it is set (as by watch(1)), else 0: any
 * number. */
size_t terminal_columns(int fd);
