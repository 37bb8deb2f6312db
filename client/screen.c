#include "client/screen.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/layout.h"
#include "rpc/base/terminal.h"

/* The last row stays empty: a line end in it would scroll. */
size_t screen_rows(const char *below)
{
	struct terminal_size size = terminal_size(STDOUT_FILENO);
	size_t taken = 1 + layout_rows(below, size.columns);

	return size.rows > taken ? size.rows - taken : 1;
}

void screen_draw(const char *text)
{
	struct terminal_size size = terminal_size(STDOUT_FILENO);
	size_t used = 1;

	fputs("\033[H", stdout);
	while (*text) {
		size_t length = strcspn(text, "\n"), cells = layout_cells(text, length);
		size_t rows = cells > size.columns ? (cells + size.columns - 1) / size.columns : 1;

		used += rows;
		if (used > size.rows)
			break;
		fwrite(text, 1, length, stdout);
		/* After a full line the cursor still stands in its last column: clearing would erase that column. */
		if (!cells || cells % size.columns)
			fputs("\033[K", stdout);
		fputc('\n', stdout);
		text += length + (text[length] == '\n');
	}
	fputs("\033[J", stdout);
}

void screen_progress(const char *facts)
{
	size_t columns = terminal_size(STDERR_FILENO).columns, size = 0;

	for (size_t end = 0;; end += strspn(facts + end, " ")) {
		const char *gap = strstr(facts + end, "  ");

		end = gap ? (size_t)(gap - facts) : strlen(facts);
		if (layout_cells(facts, end) < columns)
			size = end;
		if (!gap)
			break;
	}
	fprintf(stderr, "\r%.*s\033[K", (int)size, facts);
}
