#include "rpc/program/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/escape.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"
#include "rpc/base/terminal.h"
#include "rpc/net/address.h"

static ssize_t write_escaped(void *cookie, const char *bytes, size_t size)
{
	FILE *to = cookie;
	const char *end = bytes + size;

	while (bytes < end) {
		const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
		char *line = escape_dup(bytes, (size_t)((line_end != NULL ? line_end : end) - bytes), ESCAPE_LINE);

		fprintf(to, "%s%s", line, line_end != NULL ? "\n" : "");
		free(line);
		bytes = line_end != NULL ? line_end + 1 : end;
	}
	return (ssize_t)size;
}

error_t arguments_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, void *input)
{
	FILE *before = stderr, *escaping = fopencookie(before, "w", (cookie_io_functions_t){.write = write_escaped});

	must_allocate(escaping);
	setvbuf(escaping, NULL, _IOLBF, BUFSIZ);
	stderr = escaping;
	terminal_fit_help();

	error_t error = argp_parse(argp, argc, argv, flags, NULL, input);

	stderr = before;
	fclose(escaping);
	return error;
}

bool arguments_is_number(const char *text, uint64_t low, uint64_t high, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= low && *number <= high;
}

uint64_t arguments_number(const struct argp_state *state, const char *option, const char *text, uint64_t low,
			  uint64_t high)
{
	uint64_t number;

	if (!arguments_is_number(text, low, high, &number))
		argp_error(state, "--%s %s: a number from %" PRIu64 " to %" PRIu64 " is needed", option, text, low,
			   high);
	return number;
}

const char *arguments_address(const struct argp_state *state, const char *option, const char *text)
{
	struct rpc_address parsed;

	if (!rpc_address_parse(text, &parsed))
		argp_error(state, "--%s %s: a numeric address is needed, like 127.0.0.1, 192.0.2.1:4711 or [::1]:4711",
			   option, text);
	return text;
}

const char *arguments_hosts(const struct argp_state *state, const char *option, const char *text)
{
	for (const char *host = text; host[0] != '\0';) {
		size_t size = strcspn(host, ",");
		const char *first = memchr(host, ':', size), *last = memrchr(host, ':', size);
		bool bracketed = host[0] == '[' && last != NULL && last[-1] == ']';

		if (bracketed || (first != NULL && first == last))
			argp_error(state, "--%s %.*s: a host without a port is needed: its rpcbind is asked for the ports",
				   option, (int)size, host);
		host += size + (host[size] == ',');
	}
	return text;
}

void arguments_log_level(const struct argp_state *state, const char *text)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			log_set_level((enum log_level)i);
			return;
		}
	}
	argp_error(state, "--log-level %s: debug, info, warn or error is needed", text);
}
