/* What a descriptor that people look at can show. Nothing is sent to a terminal to find out: only the kernel and the
 * environment are asked, each time anew, because windows change. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct terminal_size {
	size_t columns, rows; /* each at least 1 */
};

/* Does it take escape sequences? Not what is no terminal, nor one that says so (TERM unset, empty or "dumb"), nor where
 * the user wants none (NO_COLOR, https://no-color.org). */
bool terminal_takes_escapes(int fd);

/* What the terminal says; where it does not know (0 x 0, as of `docker exec`), COLUMNS and LINES say it, else 80 x 24. */
struct terminal_size terminal_size(int fd);

/* The help texts of argp fit standard output where that is narrower than usual; the user's own ARGP_HELP_FMT stays. */
void terminal_fit_help(void);

/* Columns that text is laid out for: the terminal's, else COLUMNS when it is set (as by watch(1)), else 0: any number. */
size_t terminal_columns(int fd);
