#include "client/survey.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/advice.h"
#include "client/interrupt.h"
#include "client/locate.h"
#include "client/survey_tell.h"
#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/net/channel.h"
#include "rpc/net/loop.h"
#include "rpc/replica.h"

#define DUMP_MS 2000
#define ANSWER_MS 1000
#define ENTRIES_MAX 512 /* including those of other clusters */

struct survey {
	struct event_base *base;
	struct question *questions;
	size_t questions_count, waiting;
};

struct question {
	struct survey *survey;
	uint32_t id;
	const char *address;
	struct rpc_channel *channel;
	bool ended;
	bool answered;
	bool stranger; /* the process that answers is no replica of this cluster */
	bool malformed; /* a replica of another format, of which nothing more can be read */
	struct jh_replica_row row;
};

static void end_question(struct question *question)
{
	if (question->ended)
		return;
	question->ended = true;
	if (--question->survey->waiting == 0)
		event_base_loopbreak(question->survey->base);
}

static void on_row(void *context, const struct rpc_reply *reply)
{
	struct question *question = context;

	question->answered = rpc_reply_decode(reply, (xdrproc_t)xdr_jh_replica_row, &question->row);
	question->malformed = reply->status == RPC_ANSWERED && !question->answered;
	/* A replica reports its own id, and another id under another program base. */
	question->stranger = reply->status == RPC_REJECTED || (question->answered && question->row.id != question->id);
	end_question(question);
}

static void on_closed(void *context, enum rpc_end end, const char *reason)
{
	struct question *question = context;

	(void)reason;
	if (end == RPC_END_NO_RPC)
		question->stranger = true;
	end_question(question);
}

static void on_interrupt(evutil_socket_t fd, short what, void *context)
{
	struct survey *survey = context;

	(void)fd;
	(void)what;
	event_base_loopbreak(survey->base);
}

static uint32_t least(uint32_t left, uint32_t right)
{
	return left < right ? left : right;
}

static uint32_t left_ms(uint64_t deadline_us)
{
	uint64_t now_us = rpc_clock_us();

	return deadline_us > now_us ? (uint32_t)((deadline_us - now_us) / 1000) + 1 : 1;
}

static void ask(struct survey *survey, uint32_t program_base, uint32_t timeout_ms)
{
	static const struct rpc_channel_events events = {.closed = on_closed};
	struct event *interrupt;

	for (size_t i = 0; i < survey->questions_count; i++) {
		struct question *question = &survey->questions[i];

		question->channel = rpc_channel_open(survey->base, question->address, program_base + question->id,
						     JH_REPLICA_V1, &events, question);
		replica_status_1(NULL, NULL, rpc_channel_call(question->channel, timeout_ms, on_row, question));
	}
	interrupt = event_new(survey->base, interrupt_fd(), EV_READ, on_interrupt, survey);
	must_allocate(interrupt);
	event_add(interrupt, NULL);
	while (survey->waiting && !interrupt_signal())
		event_base_loop(survey->base, EVLOOP_ONCE);
	event_free(interrupt);
	for (size_t i = 0; i < survey->questions_count; i++)
		rpc_channel_close(survey->questions[i].channel);
}

/* One query per replica, at the first of its addresses. */
static void prepare(struct survey *survey, const struct registry_entry *entries, int count, uint32_t program_base)
{
	for (int i = 0; i < count; i++) {
		uint32_t id = entries[i].program - program_base;
		bool known = false;

		for (size_t k = 0; k < survey->questions_count; k++)
			known |= survey->questions[k].id == id;
		if (known || entries[i].version != JH_REPLICA_V1)
			continue;
		survey->questions[survey->questions_count++] =
			(struct question){.survey = survey, .id = id, .address = entries[i].address};
	}
	survey->waiting = survey->questions_count;
}

static int by_id(const void *left, const void *right)
{
	const struct question *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* The row of a replica that is registered and does not answer. */
static void fill_down(const struct question *question, struct jh_replica_row *row)
{
	convert_row(question->id, NULL, ROLE_DOWN, false, question->address, UINT64_MAX,
		    question->malformed ? OTHER_FORMAT_TEXT "s that this version does not: upgrade the older one"
					: "does not answer", row);
}

static void fill_rows(const struct survey *survey, struct jh_cluster_status *status)
{
	status->replicas.replicas_val = calloc(survey->questions_count + 1, sizeof *status->replicas.replicas_val);
	must_allocate(status->replicas.replicas_val);
	for (size_t i = 0; i < survey->questions_count; i++) {
		struct question *question = &survey->questions[i];
		struct jh_replica_row *row = &status->replicas.replicas_val[status->replicas.replicas_len];

		if (question->stranger || status->replicas.replicas_len == JH_REPLICAS_MAX) {
			xdr_free((xdrproc_t)xdr_jh_replica_row, &question->row);
			continue;
		}
		status->replicas.replicas_len++;
		if (!question->answered) {
			fill_down(question, row);
			continue;
		}
		*row = question->row;
		if (row->view > status->view) {
			status->view = row->view;
			status->primary = 0;
		}
		if (row->view == status->view && row->role == JH_ROLE_PRIMARY)
			status->primary = row->id;
	}
}

static void summarise(const struct client_options *options, bool strangers, const char *error, const char *no_rpcbind,
		      int count, struct jh_cluster_status *status)
{
	char summary[JH_TEXT_MAX], copies[JH_TEXT_MAX / 2];
	char *start = advice_take(advice_daemon(options, "justhungry-server --id N --data-dir DIR"));

	survey_tell_copies(status, copies, sizeof copies);
	if (count < 0)
		snprintf(summary, sizeof summary, "%s", no_rpcbind);
	else if (!count && !strangers && !locate_direct(options))
		snprintf(summary, sizeof summary,
			 "%.280s; no replica is registered either: start each with `%s`", error, start);
	else
		snprintf(summary, sizeof summary, "%.*s%s", (int)(sizeof summary - 1 - strlen(copies)), error, copies);
	status->summary = convert_text_dup(summary);
	status->why_not = convert_text_dup(count < 0 ? no_rpcbind : error);
	free(start);
}

void survey_replicas(const struct client_options *options, bool strangers, char *error, size_t error_size,
		     uint32_t timeout_ms, struct jh_cluster_status *status)
{
	uint64_t deadline_us = rpc_clock_us() + timeout_ms * 1000ull;
	struct registry_entry *entries = calloc(ENTRIES_MAX, sizeof *entries);
	struct survey survey = {.base = loop_new(), .questions = calloc(ENTRIES_MAX, sizeof *survey.questions)};
	char no_rpcbind[512] = "";
	int count = 0;

	must_allocate(survey.base);
	must_allocate(entries);
	must_allocate(survey.questions);
	memset(status, 0, sizeof *status);
	status->health = JH_HEALTH_UNAVAILABLE;
	if (!locate_direct(options))
		count = registry_dump_or_cancel(options->frontend, options->program_base + 1,
						options->program_base + LIMIT_REPLICA_ID, entries, ENTRIES_MAX,
						least(timeout_ms, DUMP_MS), interrupt_fd(), no_rpcbind, sizeof no_rpcbind);
	if (count < 0)
		locate_blame(options, no_rpcbind, sizeof no_rpcbind);
	prepare(&survey, entries, count, options->program_base);
	qsort(survey.questions, survey.questions_count, sizeof *survey.questions, by_id);
	ask(&survey, options->program_base, least(left_ms(deadline_us), ANSWER_MS));
	fill_rows(&survey, status);
	event_base_free(survey.base);
	survey_tell_frontend(options, status, error, error_size);
	summarise(options, strangers, error, no_rpcbind, count < 0 ? count : (int)status->replicas.replicas_len, status);
	free(survey.questions);
	free(entries);
}
