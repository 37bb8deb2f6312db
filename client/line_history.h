/* The lines typed at the shell's prompt, kept in a file across shells. Each line is appended at once, after lines that
 * other shells have written meanwhile; libedit keeps those of the current shell. A file that cannot be read or written
 * only means that no history is kept, which is reported once. */
#pragma once

struct line_history;

/* Reads the file into libedit's list: $XDG_STATE_HOME/justhungry/history when that variable is set, unless only
 * ~/.justhungry_history exists; else the latter. Without a home directory there is no file. */
struct line_history *line_history_open(void);

/* Adds it to libedit's list and to the file. */
void line_history_add(struct line_history *history, const char *line);

void line_history_close(struct line_history *history);
