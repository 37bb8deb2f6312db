#include "rpc/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/address.h"
#include "rpc/base/escape.h"
#include "rpc/base/log.h"
#include "rpc/base/shortage.h"

void arguments_error(const struct argp_state *state, const char *format, ...)
{
	va_list arguments;
	char *line = NULL, *escaped;

	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		shortage_of_memory(__func__);
	va_end(arguments);
	escaped = escape_dup(line, strlen(line), ESCAPE_LINE);
	free(line);
	argp_error(state, "%s", escaped);
	free(escaped);
}

uint64_t arguments_number(const struct argp_state *state, const char *option, const char *text, uint64_t low,
			  uint64_t high)
{
	char *end;

	errno = 0;

	unsigned long long value = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high)
		arguments_error(state, "--%s %s: a number from %" PRIu64 " to %" PRIu64 " is needed", option, text, low,
			   high);
	return value;
}

const char *arguments_address(const struct argp_state *state, const char *option, const char *text)
{
	struct rpc_address parsed;

	if (!rpc_address_parse(text, &parsed))
		arguments_error(state, "--%s %s: a numeric address is needed, like 127.0.0.1, 192.0.2.1:4711 or [::1]:4711",
			   option, text);
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
	arguments_error(state, "--log-level %s: debug, info, warn or error is needed", text);
}
