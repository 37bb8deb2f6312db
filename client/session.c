#include "client/session.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/advice.h"
#include "client/answer.h"
#include "client/interrupt.h"
#include "client/locate.h"
#include "client/output.h"
#include "client/rejection.h"
#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/net/channel.h"
#include "rpc/net/loop.h"

/* The front-end answers a tenth before the deadline; of a very short deadline the tenth may be less than its clock's
 * resolution. */
#define GRACE_MS 50
#define LOCATE_MS 2000 /* for one query to rpcbind */
#define RETRY_FIRST_MS 5
#define RETRY_MAX_MS 100
#define NOTICE_AFTER_US 300000 /* from then on a person at a terminal is told what we wait for */

struct session {
	const struct client_options *options;
	struct event_base *base;
	struct event *interrupt, *timer;
	struct rpc_channel *channel; /* NULL: not connected */
	bool connected, timer_fired, noticed;
	bool cut_short;            /* a signal ended the last attempt that did something, and its error says so */
	unsigned int turn;         /* which of several registered addresses is next */
	struct session_call *call; /* under way, or NULL */
	char closed[256];          /* why the last connection ended */
	jh_reason reason;          /* of the last answer; NONE without one */
	bool strangers;            /* the last answer came from another cluster */
};

/* One procedure of the front-end: how to send it, decode its answer and classify that answer. */
struct procedure {
	void (*send)(void *args, uint32_t timeout_ms, CLIENT *client);
	xdrproc_t decode;
	size_t result_size;
	enum attempt (*classify)(const void *result, jh_reason *reason, char error[static SESSION_ERROR_SIZE]);
};

struct session_call {
	const struct procedure *procedure;
	void *result;
	char *error;
	bool answered;
	enum attempt attempt;
};

/* --- classifying answers --------------------------------------------------------------------------------------- */

static enum attempt classify_problem(jh_outcome outcome, const jh_problem *problem, jh_reason *reason,
				  char error[static SESSION_ERROR_SIZE])
{
	*reason = problem->reason;
	convert_text(error, SESSION_ERROR_SIZE, problem->error.jh_text_val, problem->error.jh_text_len);
	return answer_attempt(outcome, problem->reason, problem->basis.final != FALSE);
}

static enum attempt classify_place(const void *result, jh_reason *reason, char error[static SESSION_ERROR_SIZE])
{
	const jh_write_result *write = result;

	if (write->outcome == JH_DONE)
		return ATTEMPT_DONE;
	return classify_problem(write->outcome, &write->jh_write_result_u.problem, reason, error);
}

static enum attempt classify_read(const void *result, jh_reason *reason, char error[static SESSION_ERROR_SIZE])
{
	const jh_read_result *read = result;

	if (read->outcome == JH_DONE)
		return ATTEMPT_DONE;
	return classify_problem(read->outcome, &read->jh_read_result_u.problem, reason, error);
}

static enum attempt classify_admin(const void *result, jh_reason *reason, char error[static SESSION_ERROR_SIZE])
{
	const jh_admin_result *admin = result;

	(void)reason;
	if (admin->outcome == JH_DONE)
		return ATTEMPT_DONE;
	convert_text(error, SESSION_ERROR_SIZE, admin->text.jh_text_val, admin->text.jh_text_len);
	return answer_attempt(admin->outcome, JH_REASON_NONE, false);
}

static enum attempt classify_status(const void *result, jh_reason *reason, char error[static SESSION_ERROR_SIZE])
{
	(void)result;
	(void)reason;
	(void)error;
	return ATTEMPT_DONE;
}

static void send_place(void *args, uint32_t timeout_ms, CLIENT *client)
{
	((jh_place_args *)args)->timeout_ms = timeout_ms;
	place_order_2(args, NULL, client);
}

static void send_read(void *args, uint32_t timeout_ms, CLIENT *client)
{
	((jh_read_args *)args)->timeout_ms = timeout_ms;
	read_history_2(args, NULL, client);
}

/* An operator's request, which waits as long as the front-end needs. */
#define SEND_OPERATOR(name) \
	static void send_##name(void *args, uint32_t timeout_ms, CLIENT *client) \
	{ \
		(void)timeout_ms; \
		name##_2(args, NULL, client); \
	}
SEND_OPERATOR(switchover)
SEND_OPERATOR(promote)
SEND_OPERATOR(remove)
SEND_OPERATOR(upgrade)

static void send_status(void *args, uint32_t timeout_ms, CLIENT *client)
{
	(void)timeout_ms;
	cluster_status_2(args, NULL, client);
}

/* clang-format off */
#define PROCEDURE(name, type, classify) {send_##name, (xdrproc_t)xdr_##type, sizeof(struct type), classify}
/* clang-format on */
static const struct procedure place_order = PROCEDURE(place, jh_write_result, classify_place);
static const struct procedure read_history = PROCEDURE(read, jh_read_result, classify_read);
static const struct procedure switchover = PROCEDURE(switchover, jh_admin_result, classify_admin);
static const struct procedure promote = PROCEDURE(promote, jh_admin_result, classify_admin);
static const struct procedure remove_replica = PROCEDURE(remove, jh_admin_result, classify_admin);
static const struct procedure upgrade = PROCEDURE(upgrade, jh_admin_result, classify_admin);
static const struct procedure cluster_status = PROCEDURE(status, jh_cluster_status, classify_status);

/* --- the loop --------------------------------------------------------------------------------------------------- */

static void on_interrupt(evutil_socket_t fd, short what, void *context)
{
	struct session *session = context;

	(void)fd;
	(void)what;
	event_base_loopbreak(session->base);
}

static void on_timer(evutil_socket_t none, short what, void *context)
{
	struct session *session = context;

	(void)none;
	(void)what;
	session->timer_fired = true;
}

static void on_connected(void *context)
{
	((struct session *)context)->connected = true;
}

static void on_closed(void *context, enum rpc_end end, const char *reason)
{
	struct session *session = context;

	(void)end;
	snprintf(session->closed, sizeof session->closed, "%s", reason);
	rpc_channel_close(session->channel);
	session->channel = NULL;
	session->connected = false;
}

static void start_timer(struct session *session, uint64_t us)
{
	struct timeval time = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};

	session->timer_fired = false;
	event_add(session->timer, &time);
}

struct session *session_new(const struct client_options *options)
{
	struct session *session = calloc(1, sizeof *session);

	must_allocate(session);
	session->options = options;
	session->base = loop_new();
	must_allocate(session->base);
	interrupt_catch();
	session->interrupt = event_new(session->base, interrupt_fd(), EV_READ | EV_PERSIST, on_interrupt, session);
	session->timer = evtimer_new(session->base, on_timer, session);
	must_allocate(session->interrupt);
	must_allocate(session->timer);
	event_add(session->interrupt, NULL);
	return session;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	rpc_channel_close(session->channel);
	event_free(session->interrupt);
	event_free(session->timer);
	event_base_free(session->base);
	free(session);
}

bool session_pause(struct session *session, uint32_t ms)
{
	start_timer(session, ms * 1000ull);
	while (!session->timer_fired && !interrupt_signal())
		event_base_loop(session->base, EVLOOP_ONCE);
	event_del(session->timer);
	return !interrupt_signal();
}

/* --- one attempt ------------------------------------------------------------------------------------------------ */

static uint64_t us_until(uint64_t deadline_us)
{
	uint64_t now_us = rpc_clock_us();

	return deadline_us > now_us ? deadline_us - now_us : 0;
}

/* Connects unless connected. On failure error says which process could not be reached and what to do. */
static bool connect_frontend(struct session *session, uint64_t deadline_us, char error[static SESSION_ERROR_SIZE])
{
	static const struct rpc_channel_events events = {.connected = on_connected, .closed = on_closed};
	uint64_t left_ms = us_until(deadline_us) / 1000 + 1;
	char address[64], why[SESSION_ERROR_SIZE] = "";

	/* Events on an idle connection since the last call are read before the next call uses it. */
	event_base_loop(session->base, EVLOOP_NONBLOCK);
	if (session->channel && session->connected)
		return true;
	if (!locate_frontend(session->options, session->turn++, (uint32_t)(left_ms < LOCATE_MS ? left_ms : LOCATE_MS),
			     address, why, SESSION_ERROR_SIZE)) {
		/* An attempt cut short by a signal or by our own deadline has no information of its own: the error of
		 * an earlier attempt says more. */
		if (!interrupt_signal() && (error[0] == '\0' || rpc_clock_us() < deadline_us))
			memcpy(error, why, SESSION_ERROR_SIZE);
		return false;
	}
	session->channel = rpc_channel_open(session->base, address, session->options->program_base, JH_FRONTEND_V2,
					    &events, session);
	start_timer(session, us_until(deadline_us));
	while (session->channel && !session->connected && !session->timer_fired && !interrupt_signal())
		event_base_loop(session->base, EVLOOP_ONCE);
	event_del(session->timer);
	if (session->connected)
		return true;
	if (!session->channel || !interrupt_signal())
		locate_gone(session->options, address, session->channel ? "no answer in time" : session->closed, error,
			    SESSION_ERROR_SIZE);
	rpc_channel_close(session->channel);
	session->channel = NULL;
	return false;
}

/* The front-end knows which replicas it waits for; status says how to start them from here. */
static void name_status(const struct client_options *options, char error[static SESSION_ERROR_SIZE])
{
	char *tells = advice_command(options, "status");
	size_t used = strlen(error);

	snprintf(error + used, SESSION_ERROR_SIZE - used, "; `%s` tells what is missing and how to start it", tells);
	free(tells);
}

static void on_answer(void *context, const struct rpc_reply *reply)
{
	struct session *session = context;
	struct session_call *call = session->call;

	must(call);
	must(!call->answered);
	call->answered = true;
	if (reply->status != RPC_ANSWERED) {
		const char *address = rpc_channel_address(session->channel);

		session->strangers = rejection_of_strangers(reply, session->options, address, call->error, SESSION_ERROR_SIZE);
		if (!session->strangers)
			rejection_describe(reply, session->options, address, call->error, SESSION_ERROR_SIZE);
		call->attempt = rejection_attempt(reply->status);
	} else if (!rpc_reply_decode(reply, call->procedure->decode, call->result)) {
		snprintf(call->error, SESSION_ERROR_SIZE, "the front-end's answer is malformed");
		call->attempt = ATTEMPT_LOST; /* RULE 12 */
	} else {
		call->attempt = call->procedure->classify(call->result, &session->reason, call->error);
		if (session->reason == JH_REASON_NO_PRIMARY)
			name_status(session->options, call->error);
		if (call->attempt != ATTEMPT_DONE)
			xdr_free(call->procedure->decode, call->result);
	}
}

static enum attempt try_once(struct session *session, const struct procedure *procedure, void *args, void *result,
			     uint64_t deadline_us, char error[static SESSION_ERROR_SIZE])
{
	struct session_call call = {.procedure = procedure, .result = result, .error = error};
	uint32_t timeout_ms;

	session->cut_short = false;
	session->reason = JH_REASON_NONE;
	session->strangers = false;
	if (interrupt_signal() || !connect_frontend(session, deadline_us, error) || interrupt_signal())
		return ATTEMPT_NOT_SENT;
	timeout_ms = (uint32_t)(us_until(deadline_us) / 1000) + 1;
	memset(result, 0, procedure->result_size);
	session->call = &call;
	interrupt_may_have_left();
	procedure->send(args, timeout_ms,
			rpc_channel_call(session->channel, timeout_ms + GRACE_MS, on_answer, session));
	while (!call.answered && !interrupt_signal())
		event_base_loop(session->base, EVLOOP_ONCE);
	session->call = NULL;
	if (!call.answered) {
		snprintf(error, SESSION_ERROR_SIZE, "ended by %s while the front-end was working on it",
			 interrupt_name());
		session->cut_short = true;
		call.attempt = ATTEMPT_LOST; /* RULE 12 */
	}
	/* A late answer must not overwrite the next call's result; a process that serves another program is not asked
	 * again. */
	if (!call.answered || call.attempt == ATTEMPT_TIMED_OUT || call.attempt == ATTEMPT_NOT_SENT) {
		rpc_channel_close(session->channel);
		session->channel = NULL;
		session->connected = false;
	}
	return call.attempt;
}

/* --- repeating until there is an outcome ------------------------------------------------------------------------ */

static void notice(struct session *session, uint64_t started_us, const char *error)
{
	if (session->noticed || session->options->json || !isatty(STDERR_FILENO) ||
	    rpc_clock_us() - started_us < NOTICE_AFTER_US)
		return;
	session->noticed = true;
	output_error(error);
	fprintf(stderr, "justhungry: asking again for up to %g s (control-C ends it)\n",
		session->options->timeout_ms / 1000.0);
}

/* RULE 12: what the refusal is about, and what it is not about. */
static void say_doubt(char error[static SESSION_ERROR_SIZE])
{
	static const char doubt[] = " (so this attempt did nothing, but an earlier one may still be executed)";
	size_t size = strnlen(error, SESSION_ERROR_SIZE - sizeof doubt);

	memcpy(error + size, doubt, sizeof doubt);
}

/* A signal has ended the request: says so, and whether anything of it has left this process. */
static enum outcome end_by_signal(const struct session *session, struct request_track *track, bool sent,
				  char error[static SESSION_ERROR_SIZE])
{
	enum outcome outcome = outcome_give_up(track);
	char before[SESSION_ERROR_SIZE / 2];

	snprintf(before, sizeof before, "%s%.480s", *error ? ": " : "", error);
	if (outcome == OUTCOME_UNAVAILABLE && track->kind == REQUEST_READ)
		snprintf(error, SESSION_ERROR_SIZE, "ended by %s before there was an answer%s", interrupt_name(), before);
	else if (outcome == OUTCOME_UNAVAILABLE)
		snprintf(error, SESSION_ERROR_SIZE, "ended by %s: nothing was %s%s", interrupt_name(),
			 sent ? "done" : "sent", before);
	else if (!session->cut_short)
		snprintf(error, SESSION_ERROR_SIZE, "ended by %s%s", interrupt_name(), before);
	return outcome;
}

static enum outcome ask(struct session *session, enum request_kind kind, const struct procedure *procedure, void *args,
			void *result, char error[static SESSION_ERROR_SIZE])
{
	struct request_track track = outcome_begin(kind, false);
	uint64_t started_us = rpc_clock_us();
	uint64_t deadline_us = started_us + session->options->timeout_ms * 1000ull;
	uint32_t pause_ms = RETRY_FIRST_MS;
	bool sent = false;

	if (track.may_have_happened)
		interrupt_may_have_left();
	error[0] = 0;
	for (;;) {
		enum attempt attempt = try_once(session, procedure, args, result, deadline_us, error);

		sent |= attempt != ATTEMPT_NOT_SENT;
		if (!outcome_attempt(&track, attempt)) {
			if (attempt == ATTEMPT_REFUSED && track.outcome == OUTCOME_UNKNOWN)
				say_doubt(error);
			return track.outcome;
		}
		if (interrupt_signal())
			return end_by_signal(session, &track, sent, error);
		if (us_until(deadline_us) <= pause_ms * 1000ull)
			return outcome_give_up(&track);
		notice(session, started_us, error);
		if (!session_pause(session, pause_ms))
			return end_by_signal(session, &track, sent, error);
		pause_ms = pause_ms * 2 < RETRY_MAX_MS ? pause_ms * 2 : RETRY_MAX_MS;
	}
}

enum outcome session_place(struct session *session, bool asked_before, struct jh_place_args *args,
			   struct jh_write_result *result, char error[static SESSION_ERROR_SIZE])
{
	return ask(session, asked_before ? REQUEST_AGAIN : REQUEST_WRITE, &place_order, args, result, error);
}

jh_reason session_reason(const struct session *session)
{
	return session->reason;
}

bool session_met_strangers(const struct session *session)
{
	return session->strangers;
}

enum outcome session_read(struct session *session, struct jh_read_args *args, struct jh_read_result *result,
			  char error[static SESSION_ERROR_SIZE])
{
	return ask(session, REQUEST_READ, &read_history, args, result, error);
}

/* Procedures that change state and have no number. */
static enum outcome ask_once(struct session *session, const struct procedure *procedure, void *args, void *result,
			     char error[static SESSION_ERROR_SIZE])
{
	char *tells = advice_command(session->options, "status"), *words = NULL;
	enum outcome outcome;

	if (asprintf(&words,
		     "justhungry: outcome unknown: this program ends before it is answered; `%s` tells what has become of it\n",
		     tells) < 0)
		shortage_of_memory(__func__);
	interrupt_last_words(words);
	outcome = ask(session, REQUEST_ONCE, procedure, args, result, error);
	interrupt_last_words(NULL);
	free(words);
	free(tells);
	return outcome;
}

enum outcome session_switchover(struct session *session, struct jh_switchover_args *args,
				struct jh_admin_result *result, char error[static SESSION_ERROR_SIZE])
{
	return ask_once(session, &switchover, args, result, error);
}

enum outcome session_promote(struct session *session, struct jh_promote_args *args, struct jh_admin_result *result,
			     char error[static SESSION_ERROR_SIZE])
{
	/* Without confirm it only asks what would be lost. */
	return args->confirm ? ask_once(session, &promote, args, result, error)
			     : ask(session, REQUEST_READ, &promote, args, result, error);
}

enum outcome session_remove(struct session *session, struct jh_remove_args *args, struct jh_admin_result *result,
			    char error[static SESSION_ERROR_SIZE])
{
	return ask_once(session, &remove_replica, args, result, error);
}

enum outcome session_upgrade(struct session *session, struct jh_admin_result *result, char error[static SESSION_ERROR_SIZE])
{
	return ask_once(session, &upgrade, NULL, result, error);
}

enum outcome session_status(struct session *session, uint32_t timeout_ms, struct jh_cluster_status *result,
			    char error[static SESSION_ERROR_SIZE])
{
	error[0] = 0;
	if (try_once(session, &cluster_status, NULL, result, rpc_clock_us() + timeout_ms * 1000ull, error) ==
	    ATTEMPT_DONE)
		return OUTCOME_DONE;
	if (interrupt_signal())
		snprintf(error, SESSION_ERROR_SIZE, "ended by %s", interrupt_name());
	return OUTCOME_UNAVAILABLE;
}
