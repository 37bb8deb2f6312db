/* Runs a command on a terminal of its own: on_terminal COLUMNS ROWS COMMAND [ARGUMENT...]. The command's output goes to
 * standard output unchanged. Standard input holds instructions, one per line:
 *
 *   await TEXT      until TEXT has been written, after the last awaited text; fails after 30 s
 *   type TEXT       types it, and the return key; ^X is a control character
 *   resize COLUMNS ROWS
 *   signal NUMBER   to the command
 *   hang up         takes the terminal away
 *
 * and then waits for the command's end. Ends with its status (128 + N for signal N), or with 99 when an instruction
 * failed or the terminal was not left as it was found: its modes, the cursor, the screen, the colour. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#define PATIENCE_S 30
#define OUTPUT_MAX (4u << 20)

static int terminal = -1;
static pid_t child;
static char output[OUTPUT_MAX];
static size_t size, awaited;

static void die(const char *what, const char *on)
{
	fprintf(stderr, "on_terminal: %s %s\n", what, on);
	if (child > 0)
		kill(child, SIGKILL);
	exit(99);
}

/* Reads what is available within so many milliseconds; false: the other side of the terminal is closed. */
static bool read_some(int ms)
{
	struct pollfd wait = {.fd = terminal, .events = POLLIN};
	ssize_t count;

	if (poll(&wait, 1, ms) <= 0)
		return true;
	if (size == sizeof output - 1)
		die("there is too much output", "");
	count = read(terminal, output + size, sizeof output - 1 - size);
	if (count <= 0)
		return count < 0 && errno == EINTR;
	fwrite(output + size, 1, (size_t)count, stdout);
	size += (size_t)count;
	return true;
}

static void await(const char *text)
{
	time_t end = time(NULL) + PATIENCE_S;
	bool open = true;

	for (;;) {
		char *found = memmem(output + awaited, size - awaited, text, strlen(text));

		if (found) {
			awaited = (size_t)(found - output) + strlen(text);
			return;
		}
		if (!open || time(NULL) > end)
			die("never written:", text);
		open = read_some(50);
	}
}

static void type(const char *text)
{
	for (; *text; text++) {
		char byte = *text;

		if (byte == '^' && text[1])
			byte = (char)(*++text & 0x1f);
		if (write(terminal, &byte, 1) != 1)
			die("cannot type", text);
	}
	if (write(terminal, "\r", 1) != 1)
		die("cannot type", "return");
}

static void resize(int columns, int rows)
{
	struct winsize window = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};

	if (ioctl(terminal, TIOCSWINSZ, &window) != 0)
		die("cannot resize", strerror(errno));
}

static void obey(char *line)
{
	int first, second;

	line[strcspn(line, "\n")] = 0;
	if (strncmp(line, "await ", 6) == 0)
		await(line + 6);
	else if (strncmp(line, "type ", 5) == 0)
		type(line + 5);
	else if (sscanf(line, "resize %d %d", &first, &second) == 2)
		resize(first, second);
	else if (sscanf(line, "signal %d", &first) == 1)
		kill(child, first);
	else if (strcmp(line, "hang up") == 0) {
		close(terminal);
		terminal = -1;
	} else if (*line)
		die("what is this:", line);
}

static const char *last(const char *text)
{
	char *found = NULL;

	for (char *at = output; (at = strstr(at, text)); at++)
		found = at;
	return found;
}

static bool left_on(const char *on, const char *off)
{
	const char *when_on = last(on), *when_off = last(off);

	return when_on && (!when_off || when_off < when_on);
}

static bool left_coloured(void)
{
	bool coloured = false;

	for (char *at = output; (at = strstr(at, "\033[")); at += 2) {
		size_t digits = strspn(at + 2, "0123456789;");

		if (at[2 + digits] == 'm')
			coloured = strncmp(at + 2, "0m", 2) != 0 && digits > 0;
	}
	return coloured;
}

static void check_left_as_found(const struct termios *before)
{
	struct termios after;

	if (tcgetattr(terminal, &after) == 0 &&
	    (after.c_lflag != before->c_lflag || after.c_iflag != before->c_iflag || after.c_oflag != before->c_oflag))
		die("the terminal's modes are not what they were", "");
	if (left_on("\033[?1049h", "\033[?1049l"))
		die("the terminal still shows its alternate screen", "");
	if (left_on("\033[?25l", "\033[?25h"))
		die("the cursor is hidden", "");
	if (left_coloured())
		die("the terminal is left coloured", "");
}

int main(int argc, char **argv)
{
	static char line[1024];
	struct termios before = {0};
	struct winsize window = {0};
	int slave, status = 0;

	if (argc < 4)
		die("usage: on_terminal COLUMNS ROWS COMMAND", "");
	window.ws_col = (unsigned short)atoi(argv[1]);
	window.ws_row = (unsigned short)atoi(argv[2]);
	if (openpty(&terminal, &slave, NULL, NULL, &window) != 0)
		die("openpty:", strerror(errno));
	tcgetattr(slave, &before); /* before the command is there to change it */
	child = fork();
	if (child < 0)
		die("fork:", strerror(errno));
	if (child == 0) {
		close(terminal);
		login_tty(slave);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	close(slave);
	while (fgets(line, sizeof line, stdin))
		obey(line);
	/* After the last instruction all output is read, because otherwise the command could not end. */
	for (time_t end = time(NULL) + PATIENCE_S; terminal >= 0 && waitpid(child, &status, WNOHANG) == 0;) {
		read_some(50);
		if (time(NULL) > end)
			die("the command does not end", "");
	}
	if (terminal < 0 && waitpid(child, &status, 0) != child)
		die("waitpid:", strerror(errno));
	while (terminal >= 0) {
		size_t had = size;

		if (!read_some(0) || size == had)
			break;
	}
	if (terminal >= 0)
		check_left_as_found(&before);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
