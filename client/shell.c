/* shell: the commands of this program, typed one after the other, with line editing, history and completion. */
#include <argp.h>
#include <editline/readline.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/charset.h"
#include "client/command.h"
#include "client/interrupt.h"
#include "client/keyboard.h"
#include "client/line_history.h"
#include "client/text.h"
#include "rpc/base/lines.h"
#include "rpc/program/standard_output.h"

static error_t parse(int key, char *text, struct argp_state *state)
{
	(void)text;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "too many arguments");
	return EINVAL;
}

static const struct argp argp = {
	.parser = parse,
	.doc = "Reads commands, one a line, and runs them; arrow keys, history and tab completion on a terminal. The "
	       "history is kept in ~/.justhungry_history, or $XDG_STATE_HOME/justhungry/history.\v"
	       "Words are quoted as in a shell. \"help\" lists the commands, \"exit\" or control-D ends. The exit "
	       "status is that of the last command.",
};

/* The words that a line may begin with, one after the other; readline calls again until NULL. */
static char *next_match(const char *prefix, int again)
{
	static const char *const own[] = {"help", "exit", "quit", NULL};
	static size_t next; /* readline's interface leaves no other place for it */
	size_t at = 0;

	if (!again)
		next = 0;
	for (const struct command *command = commands; command->name; command++, at++)
		if (at >= next && strcmp(command->name, "shell") != 0 &&
		    strncmp(command->name, prefix, strlen(prefix)) == 0) {
			next = at + 1;
			return strdup(command->name);
		}
	for (size_t i = 0; own[i]; i++, at++)
		if (at >= next && strncmp(own[i], prefix, strlen(prefix)) == 0) {
			next = at + 1;
			return strdup(own[i]);
		}
	return NULL;
}

/* Only the first word is completed, and no file names. */
static char **complete(const char *prefix, int start, int end)
{
	(void)end;
	rl_attempted_completion_over = 1;
	return start == 0 ? rl_completion_matches(prefix, next_match) : NULL;
}

static void print_help(void)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, "shell") != 0)
			printf("  %-12s%s\n", command->name, command->summary);
	puts("  help        show this\n  exit        leave\nEach command explains itself with --help.");
}

/* Control-C ends a command, not the interactive shell; every other signal ends both, as it does for a script. */
static bool goes_on_after_signal(void)
{
	if (!interrupt_signal())
		return true;
	if (interrupt_signal() != SIGINT || !isatty(STDIN_FILENO))
		return false;
	interrupt_forget();
	return true;
}

/* Runs one line; false: it was "exit", a signal ended it, or its output could not be read. */
static bool run_line(const struct client_options *options, const char *line, int *status)
{
	struct words words = words_split(line);
	/* As typed into another shell: our suggested commands begin with that word. */
	int skipped = words.count > 1 && strcmp(words.word[0], "justhungry") == 0;
	char **word = words.word + skipped;
	bool go_on = true;

	if (words.error) {
		fprintf(stderr, "justhungry: %s\n", words.error);
		*status = EXIT_USAGE;
	} else if (!words.count) {
		; /* an empty line changes nothing */
	} else if (strcmp(word[0], "exit") == 0 || strcmp(word[0], "quit") == 0) {
		go_on = false;
	} else if (command_asks_for_help(words.count - skipped, word)) {
		print_help();
	} else if (strcmp(word[0], "shell") == 0) {
		fprintf(stderr, "justhungry: this is the shell already\n");
		*status = EXIT_USAGE;
	} else {
		interrupt_catch();
		*status = command_run(options, words.count - skipped, word);
		go_on = goes_on_after_signal();
	}
	if (!standard_output_written(NULL)) {
		*status = *status ? *status : EXIT_UNWRITTEN;
		go_on = false;
	}
	words_free(&words);
	return go_on;
}

static int talk(const struct client_options *options)
{
	struct line_history *history;
	char *line;
	int status = EXIT_DONE;
	bool go_on = true;

	/* Before libedit is initialised, which reading the history does: a closed descriptor is no terminal to it. */
	rl_outstream = standard_output_original();
	rl_getc_function = keyboard_read;
	rl_attempted_completion_function = complete;
	history = line_history_open();
	puts("Just Hungry. \"help\" lists the commands; control-D ends.");
	while (go_on && (line = interrupt_rest() ? readline("hungry> ") : NULL)) {
		if (keyboard_spoiled()) {
			fputs("justhungry: that line has a NUL or bytes that are not UTF-8 in it: nothing of it is run\n",
			      stderr);
			status = EXIT_USAGE;
		} else {
			if (*line)
				line_history_add(history, line); /* at once: control-C at the prompt ends the process */
			go_on = run_line(options, line, &status);
		}
		free(line);
	}
	if (!line)
		putchar('\n');
	line_history_close(history);
	return status;
}

/* Lines of a pipe or a file: a refused line runs nothing, and the next one is read. */
static int read_lines(const struct client_options *options)
{
	struct lines *lines = lines_new(stdin);
	struct line line;
	enum lines_found found;
	int status = EXIT_DONE;
	bool go_on = true;

	if (isatty(STDIN_FILENO))
		fputs("justhungry: no locale of UTF-8 is installed (C.UTF-8): lines are read without editing\n", stderr);
	while (go_on && interrupt_rest() && (found = lines_next(lines, &line)) != LINES_END) {
		if (found == LINES_ONE) {
			go_on = run_line(options, line.text, &status);
			continue;
		}
		status = EXIT_USAGE;
		go_on = found == LINES_REFUSED;
		fprintf(stderr, "justhungry shell: line %" PRIu64 ": %s\n", line.number,
			found == LINES_REFUSED ? line.error : strerror(errno));
	}
	lines_free(lines);
	return status;
}

int command_shell(struct client_options options, int argc, char **argv)
{
	int status;

	if (!command_parse(&argp, &options, argc, argv, NULL, &status))
		return status;
	return isatty(STDIN_FILENO) && charset_is_utf8() ? talk(&options) : read_lines(&options);
}
