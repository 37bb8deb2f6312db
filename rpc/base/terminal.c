#include "rpc/base/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT 24
#define HELP_COLUMNS 80        /* argp's default */
#define HELP_COLUMNS_LEAST 42  /* options and their descriptions fit side by side */
#define SIZE_MAX_BELIEVED 9999 /* the highest value accepted from an environment variable */

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && *value != '\0';
}

bool terminal_takes_escapes(int fd)
{
	const char *kind = getenv("TERM");

	return isatty(fd) && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0 && !is_set("NO_COLOR");
}

/* 0: not set, or not a number of columns or rows. */
static size_t number_of(const char *variable)
{
	const char *value = getenv(variable);
	char *end;
	unsigned long number;

	if (value == NULL || *value < '0' || *value > '9')
		return 0;
	number = strtoul(value, &end, 10);
	return *end == '\0' && number <= SIZE_MAX_BELIEVED ? number : 0;
}

static size_t first_known(size_t told, const char *variable, size_t otherwise)
{
	size_t set = told > 0 ? told : number_of(variable);

	return set > 0 ? set : otherwise;
}

struct terminal_size terminal_size(int fd)
{
	struct winsize told = {0};

	if (ioctl(fd, TIOCGWINSZ, &told) != 0)
		memset(&told, 0, sizeof told);
	return (struct terminal_size){
		.columns = first_known(told.ws_col, "COLUMNS", COLUMNS_DEFAULT),
		.rows = first_known(told.ws_row, "LINES", ROWS_DEFAULT),
	};
}

size_t terminal_columns(int fd)
{
	return isatty(fd) ? terminal_size(fd).columns : number_of("COLUMNS");
}

void terminal_fit_help(void)
{
	static bool ours;
	char format[40] = "";
	size_t columns = terminal_columns(STDOUT_FILENO);

	if (is_set("ARGP_HELP_FMT") && !ours)
		return;
	if (columns > 0 && columns < HELP_COLUMNS)
		snprintf(format, sizeof format, "rmargin=%zu",
			 (columns > HELP_COLUMNS_LEAST ? columns : HELP_COLUMNS_LEAST) - 1);
	ours = true;
	setenv("ARGP_HELP_FMT", format, 1);
}
