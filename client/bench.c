/* bench: how many orders and reads per second, and how long the longest wait was. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/foreign.h"
#include "client/interrupt.h"
#include "client/load.h"
#include "client/output.h"
#include "client/screen.h"
#include "client/workload.h"
#include "rpc/base/disk_error.h"
#include "rpc/base/shortage.h"
#include "rpc/base/terminal.h"

#define CLIENTS_DEFAULT 64
#define CLIENTS_MAX 10000
#define SECONDS_DEFAULT 5
#define SECONDS_MAX 86400
#define BUILT_IN_POSTCODES 2

struct bench_command {
	struct load_options load;
	const char *log;
	bool has_seconds;
	bool yes; /* also where others have placed orders */
};

enum { KEY_CLIENTS = 0x200, KEY_SECONDS, KEY_READS, KEY_READ_ORDERS, KEY_ORDERS, KEY_POSTCODES, KEY_FRESH, KEY_LOG, KEY_YES };

static error_t parse_seconds(struct bench_command *command, const char *text, const struct argp_state *state)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0.001 || seconds > SECONDS_MAX) {
		argp_error(state, "--seconds: \"%s\" is not a number of seconds from 0.001 to %d", text, SECONDS_MAX);
		return EINVAL;
	}
	command->load.duration_us = (uint64_t)(seconds * 1e6);
	command->has_seconds = true;
	return 0;
}

static error_t parse_count(const struct argp_state *state, const char *option, const char *text, uint64_t low,
			   uint64_t high, uint32_t *count)
{
	uint64_t number;

	if (!command_number(state, option, text, low, high, &number))
		return EINVAL;
	*count = (uint32_t)number;
	return 0;
}

static error_t check_combination(struct bench_command *command, const struct argp_state *state)
{
	if (command->load.orders && command->load.reads_percent == 100) {
		argp_error(state, "--orders %llu would wait forever: --reads 100 places none",
			   (unsigned long long)command->load.orders);
		return EINVAL;
	}
	if (!command->has_seconds && !command->load.orders)
		command->load.duration_us = SECONDS_DEFAULT * 1000000ull;
	return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct bench_command *command = state->input;
	struct load_options *load = &command->load;

	switch (key) {
	case KEY_CLIENTS:
		return parse_count(state, "--clients", text, 1, CLIENTS_MAX, &load->clients);
	case KEY_SECONDS:
		return parse_seconds(command, text, state);
	case KEY_READS:
		return parse_count(state, "--reads", text, 0, 100, &load->reads_percent);
	case KEY_READ_ORDERS:
		return parse_count(state, "--read-orders", text, 1, JH_PAGE_MAX, &load->read_orders);
	case KEY_ORDERS:
		return command_number(state, "--orders", text, 1, INT64_MAX, &load->orders) ? 0 : EINVAL;
	case KEY_POSTCODES:
		return parse_count(state, "--postcodes", text, 1, WORKLOAD_POSTCODES_MAX, &load->postcodes);
	case KEY_FRESH:
		load->fresh_clients = true;
		return 0;
	case KEY_YES:
		command->yes = true;
		return 0;
	case KEY_LOG:
		command->log = text;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "too many arguments");
		return EINVAL;
	case ARGP_KEY_END:
		return check_combination(command, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"clients", KEY_CLIENTS, "N", 0, "Clients, each with a connection, a client id and one request in flight (64)",
	 0},
	{"seconds", KEY_SECONDS, "S", 0, "Stop after S seconds (5; with --orders: not at all)", 0},
	{"orders", KEY_ORDERS, "N", 0, "Stop when N orders are acknowledged", 0},
	{"reads", KEY_READS, "PERCENT", 0, "Share of history reads among the requests (0)", 0},
	{"read-orders", KEY_READ_ORDERS, "N", 0, "How many orders a read asks for (1)", 0},
	{"postcodes", KEY_POSTCODES, "N", 0,
	 "Spread the orders over N postcodes (2: the built-in ones). More only with replicas that check by grammar "
	 "or ask a provider of your own: public ones are not to be loaded",
	 0},
	{"fresh-clients", KEY_FRESH, NULL, 0, "Place every order under a client id of its own", 0},
	{"yes", KEY_YES, NULL, 0, "Place orders also in a cluster that holds others than bench's own: they stay in it", 0},
	{"log", KEY_LOG, "FILE", 0, "Write CLIENT REQUEST POSTCODE OP NUMBER of each acknowledged order, one a line. CLIENT is the id itself, of which "
	 "histories show only a hash", 0},
	{0},
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.doc = "Measures orders and reads per second, in a closed loop. An order has two items and takes 72 bytes.\vA "
	       "client whose connection is lost repeats its request with the same number, for up to --timeout; an error is a "
	       "request that then still has no outcome. Without any answer for 5 s at the end of --seconds, or for --timeout "
	       "with --orders alone, it ends at once. Its orders stay in the cluster: without --yes it refuses a cluster "
	       "that holds orders of others. Exit status: 0 all done, 3 some refused, 4 no answer, "
	       "5 some unknown.",
};

/* --- output ----------------------------------------------------------------------------------------------------- */

static double per_second(uint64_t count, const struct load_result *result)
{
	/* More than one decimal would exceed the precision of the measurement. */
	uint64_t tenths = result->elapsed_us ? count * 10000000 / result->elapsed_us : 0;

	return (double)tenths / 10;
}

static void show_progress(void *context, const struct load_result *result)
{
	char line[256];

	(void)context;
	if (!result->started)
		snprintf(line, sizeof line, "%u clients connected", result->connected);
	else
		snprintf(line, sizeof line,
			 "%.1f s  %.0f orders/s  %.0f reads/s  p50 %llu us  longest wait %.1f ms  errors %llu",
			 (double)result->elapsed_us / 1e6, per_second(result->orders, result),
			 per_second(result->reads, result),
			 (unsigned long long)histogram_at(&result->latency_us, 500), (double)result->max_gap_us / 1e3,
			 (unsigned long long)result->errors);
	screen_progress(line);
}

static void say_silence(void *context, uint64_t silent_us, const char *error)
{
	(void)context;
	if (terminal_takes_escapes(STDERR_FILENO))
		screen_progress("");
	output_complain("justhungry: no client has been answered for %.0f s%s%s", (double)silent_us / 1e6, *error ? ": " : "", error);
}

static void show_json(const struct load_options *load, const struct load_result *result, enum outcome outcome)
{
	json_t *object = json_object();
	uint64_t elapsed_ms = result->elapsed_us / 1000;

	json_object_set_new(object, "orders_per_second", json_real(per_second(result->orders, result)));
	json_object_set_new(object, "reads_per_second", json_real(per_second(result->reads, result)));
	json_object_set_new(object, "p50_us", output_number(histogram_at(&result->latency_us, 500)));
	json_object_set_new(object, "p99_us", output_number(histogram_at(&result->latency_us, 990)));
	json_object_set_new(object, "p999_us", output_number(histogram_at(&result->latency_us, 999)));
	json_object_set_new(object, "max_gap_us", output_number(result->max_gap_us));
	json_object_set_new(object, "errors", output_number(result->errors));
	json_object_set_new(object, "refused", output_number(result->refused));
	json_object_set_new(object, "clients", output_number(load->clients));
	json_object_set_new(object, "seconds", json_real((double)elapsed_ms / 1e3));
	json_object_set_new(object, "orders", output_number(result->orders));
	json_object_set_new(object, "reads", output_number(result->reads));
	json_object_set_new(object, "outcome", json_string(outcome_name(outcome)));
	json_object_set_new(object, "error",
			    outcome == OUTCOME_DONE ? json_null() : output_text(result->error, strlen(result->error)));
	output_json_take(object);
}

static void show_text(const struct load_options *load, const struct load_result *result)
{
	printf("%u clients, %.2f s\n", load->clients, (double)result->elapsed_us / 1e6);
	if (load->reads_percent < 100)
		printf("orders   %.0f/s  (%llu acknowledged)\n", per_second(result->orders, result),
		       (unsigned long long)result->orders);
	if (load->reads_percent > 0)
		printf("reads    %.0f/s  (%llu answered)\n", per_second(result->reads, result),
		       (unsigned long long)result->reads);
	printf("latency  p50 %llu us, p99 %llu us, p99.9 %llu us\n",
	       (unsigned long long)histogram_at(&result->latency_us, 500),
	       (unsigned long long)histogram_at(&result->latency_us, 990),
	       (unsigned long long)histogram_at(&result->latency_us, 999));
	printf("longest wait for one answer  %.1f ms\n", (double)result->max_gap_us / 1e3);
	printf("errors   %llu, refused %llu\n", (unsigned long long)result->errors,
	       (unsigned long long)result->refused);
}

static enum outcome outcome_of_run(const struct load_result *result)
{
	if (result->unknown)
		return OUTCOME_UNKNOWN;
	if (!result->started || result->errors)
		return OUTCOME_UNAVAILABLE;
	return result->refused ? OUTCOME_REFUSED : OUTCOME_DONE;
}

static void explain(const struct load_options *load, const struct load_result *result, enum outcome outcome)
{
	if (interrupt_signal() && result->started)
		fprintf(stderr, "justhungry: ended by %s: the figures are of what was asked until then\n",
			interrupt_name());
	if (outcome == OUTCOME_DONE)
		return;
	if (!result->started)
		output_complain("justhungry: %u of %u clients could connect: %s", result->connected, load->clients,
			result->error);
	else
		output_complain("justhungry: %llu requests unknown, %llu unavailable, %llu refused; the last: %s",
			(unsigned long long)result->unknown, (unsigned long long)(result->errors - result->unknown),
			(unsigned long long)result->refused, result->error);
}

/* False: some acknowledged orders are missing from the log. */
static bool close_log(const struct bench_command *command, const struct load_result *result)
{
	int error = result->log_errno;

	if (!command->load.log || (!fclose(command->load.log) && !error))
		return true;
	output_complain("justhungry bench: %llu orders were acknowledged and are placed, but %s lacks some of them: cannot "
			"write it: %s",
		(unsigned long long)result->orders, command->log, disk_error(error ? error : errno));
	return false;
}

/* False: return *status. The orders of bench cannot be undone, so they go among those of others only with explicit
 * consent. */
static bool may_order(const struct client_options *options, const struct bench_command *command, int *status)
{
	struct session *session;
	char error[SESSION_ERROR_SIZE];
	enum outcome outcome;
	uint64_t count = 0;

	if (command->yes || command->load.reads_percent == 100)
		return true;
	session = session_new(options);
	outcome = foreign_count(session, &count, error);
	session_free(session);
	if (outcome == OUTCOME_DONE && count == 0)
		return true;
	if (outcome == OUTCOME_DONE) {
		outcome = OUTCOME_REFUSED;
		snprintf(error, sizeof error,
			 "bench: nothing was ordered: this cluster holds %llu order%s that %s not bench's, and those of bench would "
			 "stay among them: give --yes if that is meant, else measure a cluster that is for it alone",
			 (unsigned long long)count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
	}
	*status = output_problem(options, outcome, error);
	return false;
}

int command_bench(struct client_options options, int argc, char **argv)
{
	struct bench_command command = {.load = {.client = &options,
						 .clients = CLIENTS_DEFAULT,
						 .read_orders = 1,
						 .postcodes = BUILT_IN_POSTCODES,
						 .silence = say_silence}};
	struct load_result *result;
	enum outcome outcome;
	int status;

	if (!command_parse(&argp, &options, argc, argv, &command, &status))
		return status;
	if (!may_order(&options, &command, &status))
		return status;
	if (command.log && !(command.load.log = fopen(command.log, "we"))) {
		output_complain("justhungry bench: cannot write %s: %s", command.log, disk_error(errno));
		return EXIT_USAGE;
	}
	if (terminal_takes_escapes(STDERR_FILENO))
		command.load.progress = show_progress;
	result = malloc(sizeof *result);
	must_allocate(result);
	load_run(&command.load, result);
	if (command.load.progress)
		screen_progress("");
	outcome = outcome_of_run(result);
	if (options.json)
		show_json(&command.load, result, outcome);
	else if (result->started)
		show_text(&command.load, result);
	explain(&command.load, result, outcome);
	status = outcome_exit_status(outcome);
	if (!close_log(&command, result) && !status)
		status = EXIT_UNWRITTEN;
	free(result);
	return status;
}
