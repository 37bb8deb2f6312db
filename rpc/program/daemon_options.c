#include "rpc/program/daemon_options.h"

#include "rpc/net/address.h"
#include "rpc/program/arguments.h"

struct daemon_options daemon_options_default(void)
{
	return (struct daemon_options){.program_base = PROGRAM_BASE_DEFAULT, .heartbeat_ms = 50, .suspect_ms = 250,
				       .stall_ms = 2000};
}

static void add_listener(const struct argp_state *state, const char *text, struct daemon_options *options)
{
	if (options->listen_count == DAEMON_LISTEN_MAX) {
		argp_error(state, "--listen: at most %d addresses", DAEMON_LISTEN_MAX);
		return;
	}
	options->listen[options->listen_count++] = arguments_address(state, "listen", text);
}

static const char *advertised(const struct argp_state *state, const char *text)
{
	struct rpc_address address;

	arguments_address(state, "advertise", text);
	if (rpc_address_parse(text, &address) && rpc_address_is_wildcard(&address))
		argp_error(state, "--advertise %s: an address that others can connect to is needed", text);
	return text;
}

static uint32_t milliseconds(const struct argp_state *state, const char *option, const char *text, uint64_t low,
			     uint64_t high)
{
	return (uint32_t)arguments_number(state, option, text, low, high);
}

error_t daemon_options_parse(int key, const char *text, const struct argp_state *state, struct daemon_options *options)
{
	switch (key) {
	case DAEMON_DATA_DIR:
		options->data_dir = text;
		return 0;
	case DAEMON_LISTEN:
		add_listener(state, text, options);
		return 0;
	case DAEMON_ADVERTISE:
		options->advertise = advertised(state, text);
		return 0;
	case DAEMON_PROGRAM_BASE:
		options->program_base = (uint32_t)arguments_number(state, "program-base", text, 1, PROGRAM_BASE_MAX);
		return 0;
	case DAEMON_HEARTBEAT:
		options->heartbeat_ms = milliseconds(state, "heartbeat-ms", text, 5, 10000);
		return 0;
	case DAEMON_SUSPECT:
		options->suspect_ms = milliseconds(state, "suspect-ms", text, 10, 600000);
		return 0;
	case DAEMON_STALL:
		options->stall_ms = milliseconds(state, "stall-ms", text, 10, 600000);
		return 0;
	case DAEMON_LOG_LEVEL:
		arguments_log_level(state, text);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: there are only options; see --help", text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}
