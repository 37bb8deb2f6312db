#include "server/shop/postcode_question.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/shop/postcode_provider.h"

enum { FIRST, FRESH, TRIES };

struct try {
	struct postcode_question *question;
	struct postcode_fetch *fetch; /* NULL: not started, or ended without an answer */
};

struct postcode_question {
	struct postcode_fetcher *fetcher;
	char url[POSTCODE_URL_BYTES];
	const char *proxy;
	struct try tries[TRIES];
	bool asked_again;
	struct event *impatience;
	void (*done)(void *context, const struct postcode_fetched *fetched);
	void *context;
};

static void on_fetched(void *context, const struct postcode_fetched *fetched);

static void begin(struct postcode_question *question, unsigned number)
{
	struct try *try = &question->tries[number];

	try->question = question;
	try->fetch = postcode_fetch_start(question->fetcher, question->url, question->proxy, number == FRESH, on_fetched, try);
}

static void ask_again(struct postcode_question *question)
{
	must(!question->asked_again);
	question->asked_again = true;
	event_del(question->impatience);
	begin(question, FRESH);
}

/* It keeps waiting for as long as the question has no connection: there may be none free, and then it gets a kept
 * one. */
static void on_impatience(evutil_socket_t nothing, short what, void *context)
{
	struct postcode_question *question = context;

	(void)nothing;
	(void)what;
	must(question->tries[FIRST].fetch);
	if (postcode_fetch_is_on_kept(question->tries[FIRST].fetch))
		ask_again(question);
}

static void on_fetched(void *context, const struct postcode_fetched *fetched)
{
	struct try *try = context;
	struct postcode_question *question = try->question;
	void (*done)(void *, const struct postcode_fetched *) = question->done;
	void *waiting = question->context;

	try->fetch = NULL;
	if (fetched->status == 0 && fetched->kept && !question->asked_again) {
		ask_again(question);
		return;
	}
	if (fetched->status == 0 && question->tries[FRESH].fetch)
		return; /* the answer on the new connection counts */
	postcode_question_cancel(question);
	done(waiting, fetched);
}

struct postcode_question *postcode_question_ask(struct postcode_fetcher *fetcher, const char *url, const char *proxy,
						uint32_t patience_ms,
						void (*done)(void *context, const struct postcode_fetched *fetched),
						void *context)
{
	struct postcode_question *question = calloc(1, sizeof(*question));
	struct timeval patience = {.tv_sec = patience_ms / 1000, .tv_usec = (suseconds_t)(patience_ms % 1000) * 1000};

	must_allocate(question);
	question->fetcher = fetcher;
	snprintf(question->url, sizeof question->url, "%s", url);
	question->proxy = proxy;
	question->done = done;
	question->context = context;
	question->impatience = event_new(postcode_fetcher_base(fetcher), -1, EV_PERSIST, on_impatience, question);
	must_allocate(question->impatience);
	event_add(question->impatience, &patience);
	begin(question, FIRST);
	return question;
}

void postcode_question_cancel(struct postcode_question *question)
{
	for (unsigned i = 0; i < TRIES; i++)
		if (question->tries[i].fetch)
			postcode_fetch_cancel(question->tries[i].fetch);
	event_free(question->impatience);
	free(question);
}

const char *postcode_question_stage(const struct postcode_question *question)
{
	const struct try *newest = &question->tries[question->tries[FRESH].fetch ? FRESH : FIRST];

	return newest->fetch ? postcode_fetch_stage(newest->fetch) : "the connection broke";
}
