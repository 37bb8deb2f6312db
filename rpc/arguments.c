#include "rpc/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/address.h"
#include "rpc/base/log.h"

uint64_t arguments_number(const struct argp_state *state, const char *option, const char *text, uint64_t low,
			  uint64_t high)
{
	char *end;

	errno = 0;

	unsigned long long value = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high)
		argp_error(state, "--%s %s: a number from %" PRIu64 " to %" PRIu64 " is needed", option, text, low,
			   high);
	return value;
}

const char *arguments_address(const struct argp_state *state, const char *option, const char *text)
{
	struct rpc_address parsed;

	if (!rpc_address_parse(text, &parsed))
		argp_error(state, "--%s %s: a numeric address is needed, like 127.0.0.1, 192.0.2.1:4711 or [::1]:4711",
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
	argp_error(state, "--log-level %s: debug, info, warn or error is needed", text);
}
