#include "client/session.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/advice.h"
#include "client/interrupt.h"
#include "client/locate.h"
#include "client/output.h"
#include "client/procedure.h"
#include "client/rejection.h"
#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
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
	struct answer_why why;     /* of the last answer; nothing without one */
	bool decided;              /* the log decided the last outcome */
	bool strangers;            /* the last answer came from another cluster */
};

struct session_call {
	const struct procedure *procedure;
	void *result;
	char *error;
	bool answered;
	enum attempt attempt;
};

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
		call->attempt = call->procedure->classify(call->result, &session->why, call->error, SESSION_ERROR_SIZE);
		if (session->why.reason == JH_REASON_NO_PRIMARY)
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
	session->why = (struct answer_why){.reason = JH_REASON_NONE};
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

/* RULE 12: what a refusal is about, and what it is not about. */
static const char in_doubt[] = " (so this attempt did nothing, but an earlier one may still be executed)";

/* Appends, at the cost of the end of what is there already. */
static void say_more(char error[static SESSION_ERROR_SIZE], const char *more)
{
	size_t more_size = strnlen(more, SESSION_ERROR_SIZE / 2 - 1);
	size_t size = strnlen(error, SESSION_ERROR_SIZE - 1 - more_size);

	memcpy(error + size, more, more_size);
	error[size + more_size] = '\0';
}

/* A signal has ended the request: says so, and whether anything of it has left this process. */
static void end_by_signal(const struct session *session, struct request_track *track, bool sent,
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
}

/* One request, from its first attempt to its outcome. */
struct request {
	enum request_kind kind;
	const struct procedure *procedure;
	void *args, *void_args; /* void_args: what makes it void; NULL unless it is a write */
	void *result;
	struct request_track track;
	uint64_t deadline_us;
	bool sent; /* some attempt has left this process */
	struct answer_why refusal_why; /* what refused it in doubt, so that it is made void */
	char refusal[SESSION_ERROR_SIZE];
};

/* The request ended while it was made void: the refusal is why it was not executed, if it was not. */
static void tell_refusal(struct session *session, const struct request *request, char error[static SESSION_ERROR_SIZE])
{
	char failed[SESSION_ERROR_SIZE];

	memcpy(failed, error, sizeof failed);
	memcpy(error, request->refusal, sizeof request->refusal);
	session->why = request->refusal_why;
	if (request->track.outcome == OUTCOME_REFUSED) {
		say_more(error, " (an earlier attempt was not answered: the request is void now, and will never be executed)");
		return;
	}
	say_more(error, in_doubt);
	say_more(error, "; it could not be cancelled: ");
	say_more(error, failed);
}

/* One attempt; true: there is another one. */
static bool attempt_once(struct session *session, struct request *request, char error[static SESSION_ERROR_SIZE])
{
	struct request_track *track = &request->track;
	bool voids = track->voids, goes_on;
	enum attempt attempt = try_once(session, request->procedure, voids ? request->void_args : request->args, request->result,
					request->deadline_us, error);

	request->sent |= attempt != ATTEMPT_NOT_SENT;
	if (voids && attempt == ATTEMPT_DONE)
		xdr_free(request->procedure->decode, request->result); /* of the VOID: the request itself has none */
	goes_on = outcome_attempt(track, attempt);
	if (track->voids && !voids) {
		request->refusal_why = session->why;
		memcpy(request->refusal, error, SESSION_ERROR_SIZE);
	}
	if (attempt == ATTEMPT_REFUSED && track->outcome == OUTCOME_UNKNOWN && !voids)
		say_more(error, in_doubt);
	return goes_on;
}

/* Until it has an outcome, its time is over, or a signal ends it. */
static void attempt_all(struct session *session, struct request *request, char error[static SESSION_ERROR_SIZE])
{
	uint64_t started_us = rpc_clock_us();
	uint32_t pause_ms = RETRY_FIRST_MS;

	request->deadline_us = started_us + session->options->timeout_ms * 1000ull;
	while (attempt_once(session, request, error)) {
		if (!interrupt_signal() && us_until(request->deadline_us) <= pause_ms * 1000ull) {
			outcome_give_up(&request->track);
			return;
		}
		if (!interrupt_signal())
			notice(session, started_us, error);
		if (!session_pause(session, pause_ms)) {
			end_by_signal(session, &request->track, request->sent, error);
			return;
		}
		pause_ms = pause_ms * 2 < RETRY_MAX_MS ? pause_ms * 2 : RETRY_MAX_MS;
	}
}

static enum outcome ask(struct session *session, struct request request, char error[static SESSION_ERROR_SIZE])
{
	request.track = outcome_begin(request.kind, false);
	if (request.track.may_have_happened)
		interrupt_may_have_left();
	error[0] = '\0';
	attempt_all(session, &request, error);
	session->decided = request.track.decided;
	if (request.track.voids)
		tell_refusal(session, &request, error);
	return request.track.outcome;
}

static jh_place_args void_of(jh_uuid client, uint64_t number)
{
	return (jh_place_args){.client = client, .request = number, .operation = {.kind = JH_OPERATION_VOID}};
}

enum outcome session_place(struct session *session, enum request_kind kind, struct jh_place_args *args,
			   struct jh_write_result *result, char error[static SESSION_ERROR_SIZE])
{
	jh_place_args voids = void_of(args->client, args->request);
	struct request request = {.kind = kind, .procedure = &procedure_place, .args = args, .void_args = &voids, .result = result};

	must(kind == REQUEST_WRITE || kind == REQUEST_KEPT || kind == REQUEST_AGAIN);
	return ask(session, request, error);
}

enum outcome session_cancel(struct session *session, jh_uuid client, uint64_t number,
			    char error[static SESSION_ERROR_SIZE])
{
	jh_place_args args = void_of(client, number);
	jh_write_result result;
	struct request request = {.kind = REQUEST_VOID, .procedure = &procedure_place, .args = &args, .result = &result};
	enum outcome outcome = ask(session, request, error);

	if (outcome == OUTCOME_DONE)
		xdr_free((xdrproc_t)xdr_jh_write_result, &result);
	return outcome;
}

const struct answer_why *session_why(const struct session *session)
{
	return &session->why;
}

bool session_decided(const struct session *session)
{
	return session->decided;
}

bool session_met_strangers(const struct session *session)
{
	return session->strangers;
}

enum outcome session_read(struct session *session, struct jh_read_args *args, struct jh_read_result *result,
			  char error[static SESSION_ERROR_SIZE])
{
	struct request request = {.kind = REQUEST_READ, .procedure = &procedure_read, .args = args, .result = result};

	return ask(session, request, error);
}

/* Procedures that change state and have no number. */
static enum outcome ask_once(struct session *session, const struct procedure *procedure, void *args, void *result,
			     char error[static SESSION_ERROR_SIZE])
{
	struct request request = {.kind = REQUEST_ONCE, .procedure = procedure, .args = args, .result = result};
	char *tells = advice_command(session->options, "status"), *words = NULL;
	enum outcome outcome;

	if (asprintf(&words,
		     "justhungry: outcome unknown: this program ends before it is answered; `%s` tells what has become of it\n",
		     tells) < 0)
		shortage_of_memory(__func__);
	interrupt_last_words(words);
	outcome = ask(session, request, error);
	interrupt_last_words(NULL);
	free(words);
	free(tells);
	return outcome;
}

enum outcome session_switchover(struct session *session, struct jh_switchover_args *args,
				struct jh_admin_result *result, char error[static SESSION_ERROR_SIZE])
{
	return ask_once(session, &procedure_switchover, args, result, error);
}

enum outcome session_promote(struct session *session, struct jh_promote_args *args, struct jh_admin_result *result,
			     char error[static SESSION_ERROR_SIZE])
{
	/* Without confirm it only asks what would be lost. */
	struct request preview = {.kind = REQUEST_READ, .procedure = &procedure_promote, .args = args, .result = result};

	return args->confirm ? ask_once(session, &procedure_promote, args, result, error) : ask(session, preview, error);
}

enum outcome session_remove(struct session *session, struct jh_remove_args *args, struct jh_admin_result *result,
			    char error[static SESSION_ERROR_SIZE])
{
	return ask_once(session, &procedure_remove, args, result, error);
}

enum outcome session_upgrade(struct session *session, struct jh_admin_result *result, char error[static SESSION_ERROR_SIZE])
{
	return ask_once(session, &procedure_upgrade, NULL, result, error);
}

enum outcome session_status(struct session *session, uint32_t timeout_ms, struct jh_cluster_status *result,
			    char error[static SESSION_ERROR_SIZE])
{
	error[0] = 0;
	if (try_once(session, &procedure_status, NULL, result, rpc_clock_us() + timeout_ms * 1000ull, error) ==
	    ATTEMPT_DONE)
		return OUTCOME_DONE;
	if (interrupt_signal())
		snprintf(error, SESSION_ERROR_SIZE, "ended by %s", interrupt_name());
	return OUTCOME_UNAVAILABLE;
}
