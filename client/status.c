/* status: the view, the primary and every replica; once, until N members serve, or repeatedly. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/interrupt.h"
#include "client/layout.h"
#include "client/output.h"
#include "client/screen.h"
#include "client/session.h"
#include "client/status_view.h"
#include "client/survey.h"
#include "rpc/base/clock.h"
#include "rpc/base/shortage.h"
#include "rpc/base/terminal.h"
#include "rpc/program/standard_output.h"

#define ASK_MS 2000 /* a front-end that takes longer is reported as not answering */
#define WATCH_MS 500
#define LAST_MS 1000
#define WAIT_POLL_MS 50

struct status_command {
	bool watch;
	uint64_t wait; /* 0: not requested */
	bool check;
};

enum { KEY_WATCH = 0x200, KEY_WAIT, KEY_CHECK };

/* Of --check, as monitoring systems expect it. */
enum check_status { CHECK_OK = 0, CHECK_DEGRADED = 1, CHECK_NO_ORDERS = 2 };

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct status_command *command = state->input;

	switch (key) {
	case KEY_WATCH:
		command->watch = true;
		return 0;
	case KEY_WAIT:
		return command_number(state, "--wait", text, 1, JH_REPLICAS_MAX, &command->wait) ? 0 : EINVAL;
	case KEY_CHECK:
		command->check = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "too many arguments");
		return EINVAL;
	case ARGP_KEY_END:
		if (command->watch + (command->wait != 0) + command->check <= 1)
			return 0;
		argp_error(state, "--watch, --wait and --check do not go together");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"watch", KEY_WATCH, NULL, 0, "Show it again and again, until a signal", 0},
	{"wait", KEY_WAIT, "N", 0,
	 "Return when the primary and N members in all serve; exit status 4 if not within --timeout", 0},
	{"check", KEY_CHECK, NULL, 0,
	 "For monitors: one line; exit status 0 ok, 1 degraded, 2 no orders can be taken", 0},
	{0},
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.doc = "Shows the view, the primary and every replica. Digests of the history are equal at equal ops (DIGEST "
	       "@op).\vThe columns:\n"
	       "  ROLE     primary (takes the orders), backup (holds a copy of each),\n"
	       "           learner (catches up), down, foreign (of another cluster)\n"
	       "  STATE    what it does\n"
	       "  AGE      how old the facts of the row are\n"
	       "  OP       orders placed that it has on disk: the number of the last\n"
	       "  COMMIT   those that it knows to be on every member's disk\n"
	       "  DIGEST   of the history up to @op\n"
	       "  ORDERS   all orders of its history: those placed, and those that the\n"
	       "           cluster began with (4, or --initial-orders)\n"
	       "  UP       how long its process has run\n"
	       "  PUSH     of the primary: kind and size of the last message to the backups\n"
	       "Without a front-end, rpcbind and each replica are asked directly. Exit status 4: the service "
	       "is unavailable.",
};

/* --- querying --------------------------------------------------------------------------------------------------- */

struct facts {
	struct jh_cluster_status status;
	char error[SESSION_ERROR_SIZE]; /* why the front-end could not be asked; empty: it answered */
};

static uint32_t ms_until(uint64_t deadline_us)
{
	uint64_t now_us = rpc_clock_us();

	return deadline_us > now_us ? (uint32_t)((deadline_us - now_us) / 1000) + 1 : 1;
}

/* Takes at most timeout_ms; a survey gets what the front-end leaves of it, at least a quarter. */
static struct facts *find_out(struct session *session, const struct client_options *options, uint32_t timeout_ms,
			      bool survey)
{
	struct facts *facts = calloc(1, sizeof *facts);
	uint64_t deadline_us = rpc_clock_us() + timeout_ms * 1000ull;
	uint32_t ask_ms = survey ? timeout_ms - timeout_ms / 4 : timeout_ms;

	must_allocate(facts);
	if (session_status(session, ask_ms < ASK_MS ? ask_ms : ASK_MS, &facts->status, facts->error) == OUTCOME_DONE)
		return facts;
	memset(&facts->status, 0, sizeof facts->status);
	facts->status.health = JH_HEALTH_UNAVAILABLE;
	if (survey)
		survey_replicas(options, session_met_strangers(session), facts->error, sizeof facts->error,
				ms_until(deadline_us), &facts->status);
	return facts;
}

static void forget(struct facts *facts)
{
	xdr_free((xdrproc_t)xdr_jh_cluster_status, &facts->status);
	free(facts);
}

static int exit_status_of(const struct facts *facts)
{
	return facts->error[0] || facts->status.health == JH_HEALTH_UNAVAILABLE ? EXIT_UNAVAILABLE : EXIT_DONE;
}

static void show(const struct client_options *options, const struct facts *facts)
{
	struct status_page page = {.columns = terminal_columns(STDOUT_FILENO),
				   .colour = terminal_takes_escapes(STDOUT_FILENO)};

	/* The table begins with it: where both go to a terminal, once is enough. */
	if (facts->error[0] && (options->json || !isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO)))
		output_error(facts->error);
	if (options->json)
		output_json_take(status_view_json(&facts->status, facts->error[0] ? facts->error : NULL));
	else
		status_view_table(stdout, options, &facts->status, &page);
}

/* What was found before a signal arrived is no state of the cluster. */
static int ended_by_signal(const struct client_options *options, const char *more)
{
	char line[128];

	snprintf(line, sizeof line, "ended by %s%s", interrupt_name(), more);
	return output_problem(options, OUTCOME_UNAVAILABLE, line);
}

static int show_once(struct session *session, const struct client_options *options)
{
	struct facts *facts = find_out(session, options, options->timeout_ms, true);
	int status = exit_status_of(facts);

	if (facts->error[0] && interrupt_signal())
		status = ended_by_signal(options, " before the state was known");
	else
		show(options, facts);
	forget(facts);
	return status;
}

/* --- for monitoring --------------------------------------------------------------------------------------------- */

static int check_status_of(const struct facts *facts)
{
	if (facts->error[0] || !facts->status.accepts_orders)
		return CHECK_NO_ORDERS;
	return facts->status.health == JH_HEALTH_OK ? CHECK_OK : CHECK_DEGRADED;
}

static int check(struct session *session, const struct client_options *options)
{
	struct facts *facts = find_out(session, options, options->timeout_ms, true);
	struct jh_cluster_status *status = &facts->status;
	int result = check_status_of(facts);
	char *summary, *why;

	if (facts->error[0] && interrupt_signal()) {
		forget(facts);
		ended_by_signal(options, " before the state was known");
		return CHECK_NO_ORDERS;
	}
	summary = output_said(options, status->summary.jh_text_val, status->summary.jh_text_len);
	why = output_said(options, status->why_not.jh_text_val, status->why_not.jh_text_len);

	if (options->json)
		output_json_take(status_view_json(status, facts->error[0] ? facts->error : NULL));
	else if (result == CHECK_NO_ORDERS && facts->error[0])
		printf("no orders can be taken: %s\n", summary);
	else if (result == CHECK_NO_ORDERS && status->health != JH_HEALTH_UNAVAILABLE)
		printf("no orders can be taken: %s (%s)\n", why, summary);
	else if (result == CHECK_NO_ORDERS)
		printf("no orders can be taken: %s\n", why);
	else if (status->health == JH_HEALTH_UNAVAILABLE)
		printf("degraded: orders wait a moment: %s\n", summary);
	else
		printf("%s (%u of %u copies, view %llu, primary %u)\n", summary, status->copies, status->expected,
		       (unsigned long long)status->view, status->primary);
	free(summary);
	free(why);
	forget(facts);
	return result;
}

/* --- waiting ---------------------------------------------------------------------------------------------------- */

static int wait_for(struct session *session, const struct client_options *options, uint32_t wanted)
{
	char line[64];
	uint64_t deadline_us = rpc_clock_us() + options->timeout_ms * 1000ull;
	/* Only the last attempt asks every replica, and a survey takes long: it gets the rest of the time. */
	uint64_t last_us = deadline_us - (options->timeout_ms < 4 * LAST_MS ? options->timeout_ms / 4 : LAST_MS) * 1000ull;
	bool told = false, progress = terminal_takes_escapes(STDERR_FILENO) && !options->json;
	uint32_t serving = 0;

	for (;;) {
		bool last = rpc_clock_us() >= last_us;
		struct facts *facts = find_out(session, options, ms_until(last ? deadline_us : last_us), last);

		if (facts->error[0] && interrupt_signal()) {
			forget(facts);
			snprintf(line, sizeof line, ": %u of %u members served", serving, wanted);
			return ended_by_signal(options, line);
		}
		serving = status_view_serving(&facts->status);

		if (progress && (told || serving < wanted)) {
			snprintf(line, sizeof line, "%u of %u members serve", serving, wanted);
			screen_progress(line);
			if (last || serving >= wanted)
				fputc('\n', stderr);
			told = true;
		}
		if (serving >= wanted || last) {
			show(options, facts);
			forget(facts);
			if (serving >= wanted)
				return EXIT_DONE;
			fprintf(stderr, "justhungry: %u of %u members serve after %g s\n", serving, wanted,
				options->timeout_ms / 1000.0);
			return EXIT_UNAVAILABLE;
		}
		forget(facts);
		session_pause(session, WAIT_POLL_MS);
	}
}

/* --- watching --------------------------------------------------------------------------------------------------- */

/* On a terminal that takes escape sequences in place, else one below the other. */
static void show_again(const struct client_options *options, const struct facts *facts, uint64_t gone_us)
{
	bool in_place = terminal_takes_escapes(STDOUT_FILENO);
	struct status_page page = {.columns = terminal_columns(STDOUT_FILENO), .colour = in_place};
	char *text = NULL, duration[TEXT_TIME_SIZE], gone[TEXT_TIME_SIZE + 64] = "";
	size_t size;
	FILE *out;

	if (options->json) {
		output_json_take(status_view_json(&facts->status, facts->error[0] ? facts->error : NULL));
		return;
	}
	if (gone_us)
		snprintf(gone, sizeof gone, "the front-end has not answered for %s\n",
			 text_duration((rpc_clock_us() - gone_us) / 1000000, duration));
	if (in_place)
		page.rows = screen_rows(gone);
	out = open_memstream(&text, &size);
	must_allocate(out);
	status_view_table(out, options, &facts->status, &page);
	layout_text(out, gone, page.columns, 0);
	if (fclose(out) != 0)
		shortage_of_memory(__func__);
	if (in_place)
		screen_draw(text);
	else
		printf("%s\n", text);
	fflush(stdout);
	free(text);
}

static int watch(struct session *session, const struct client_options *options)
{
	uint64_t gone_us = 0;

	do {
		struct facts *facts = find_out(session, options, options->timeout_ms, true);

		if (facts->error[0] && interrupt_signal()) {
			forget(facts);
			break;
		}
		if (!facts->error[0])
			gone_us = 0;
		else if (!gone_us)
			gone_us = rpc_clock_us();
		show_again(options, facts, gone_us);
		forget(facts);
	} while (!standard_output_flush() && session_pause(session, WATCH_MS));
	if (terminal_takes_escapes(STDOUT_FILENO))
		putchar('\n'); /* below the ^C that the terminal shows */
	return EXIT_DONE;
}

int command_status(struct client_options options, int argc, char **argv)
{
	struct status_command command = {0};
	struct session *session;
	int status;

	if (!command_parse(&argp, &options, argc, argv, &command, &status))
		return status;
	session = session_new(&options);
	if (command.watch)
		status = watch(session, &options);
	else if (command.check)
		status = check(session, &options);
	else if (command.wait)
		status = wait_for(session, &options, (uint32_t)command.wait);
	else
		status = show_once(session, &options);
	session_free(session);
	return status;
}
