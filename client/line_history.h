/* The lines typed at the shell's prompt, kept in a file from one shell to the next: each line at once, behind what other
 * shells have written meanwhile. The lines of the present shell are libedit's. A file that cannot be read or written only
 * means that nothing is kept; that is said once. */
#pragma once

struct line_history;

/* Reads the file into libedit's list: $XDG_STATE_HOME/justhungry/history when that variable is set, unless only
 * ~/.justhungry_history exists; else the latter. Without a home there is no file. */
struct line_history *line_history_open(void);

/* In libedit's list and in the file. */
void line_history_add(struct line_history *history, const char *line);

void line_history_close(struct line_history *history);
