/* Clients, and the router's shell (frontend/client_requests.c): what is sent for a request, and what its client makes of the
 * end. */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct front_process *front_of(struct request *request)
{
	return stage_front(request->stage, request->front);
}

static void route_send(void *context, struct router_request *head, uint32_t to, uint64_t view, uint64_t floor,
		       bool at_primary, uint32_t timeout_ms)
{
	struct request *request = (struct request *)head;
	struct front_process *f = front_of(request);
	struct item *item = item_new(request->is_read ? ITEM_QUERY : ITEM_SUBMIT);

	(void)context;
	must(f->links[to] != NULL);
	request->late_ms = stage_now(request->stage, f->process) + timeout_ms;
	item->number = view;
	item->floor = floor;
	item->at_primary = at_primary;
	item->request = request->place;
	item->serial = ++request->serial;
	memcpy(item->body, request->body, STAGE_BODY);
	net_send(request->stage, f->links[to], 0, item);
}

static struct client *client_of(struct stage *s, const char *body)
{
	char name[16];

	must(sscanf(body, "%15[^/ ]", name) == 1);
	for (uint32_t i = 0; i < s->clients_count; i++) {
		if (strcmp(s->clients[i].name, name) == 0)
			return &s->clients[i];
	}
	must(s->clients_count < 8);
	snprintf(s->clients[s->clients_count].name, sizeof name, "%s", name);
	return &s->clients[s->clients_count++];
}

static enum attempt attempt_of(enum router_end how, const struct item *answer)
{
	switch (how) {
	case ROUTER_END_UNKNOWN:
		return ATTEMPT_UNKNOWN;
	case ROUTER_END_UNAVAILABLE:
		return ATTEMPT_UNAVAILABLE;
	case ROUTER_END_BUSY:
		return ATTEMPT_BUSY;
	case ROUTER_END_ANSWERED:
		return answer->kind == ITEM_READ ? ATTEMPT_DONE : stage_told(answer).attempt;
	}
	must_not_reach("a router's end");
}

/* What the client makes of it, all its attempts taken together. */
static void client_hears(struct request *request, enum attempt attempt)
{
	struct client *client = client_of(request->stage, request->body);
	const struct request_track *track = &client->track;
	const char *held;

	if (request->is_read)
		return;
	if (track->outcome == OUTCOME_OPEN)
		outcome_attempt(&client->track, attempt);
	if (track->voids) /* nothing is made void here */
		outcome_give_up(&client->track);
	held = track->may_have_happened ? "unknown: to be asked again" : "not done: to be asked again";
	if (track->outcome != OUTCOME_DONE)
		stage_say(request->stage, "%s holds %s for %s", client->name, request->body,
			  track->outcome == OUTCOME_OPEN ? held : outcome_name(track->outcome));
}

static void say_told(const struct request *request, const struct item *answer)
{
	struct told told = stage_told(answer);
	struct text text = {.size = 0};

	text_add(&text, "%s tells %s: ", stage_name(request->front), request->body);
	if (told.attempt != ATTEMPT_DONE)
		text_add(&text, "%s, ", told.attempt == ATTEMPT_UNAVAILABLE ? "unavailable" : "refused");
	text_add(&text, "%s", told.text);
	if (told.names_op)
		text_add(&text, ", op %" PRIu64, answer->op);
	stage_say(request->stage, "%s", text.bytes);
	free(text.bytes);
}

static void route_answer(void *context, struct router_request *head, enum router_end how, const void *payload,
			 const char *text)
{
	static const char *const ends[] = {"", "unknown", "unavailable", "busy"};
	struct request *request = (struct request *)head;
	const struct item *answer = payload;
	const char *front = stage_name(request->front);

	(void)context;
	request->open = false;
	request->serial++;
	if (how != ROUTER_END_ANSWERED)
		stage_say(request->stage, "%s tells %s: %s: %s", front, request->body, ends[how], text);
	else if (request->is_read)
		stage_say(request->stage, "%s tells %s: shows op %" PRIu64, front, request->body, answer->op);
	else
		say_told(request, answer);
	client_hears(request, attempt_of(how, answer));
}

static void route_pause(void *context, bool paused)
{
	struct front_process *f = context;

	stage_say(f->stage, "%s %s reading from its clients", stage_name(f->process->number),
		  paused ? "stops" : "goes on");
}

/* Told before the next step of the view manager. */
static void route_demand(void *context)
{
	(void)context;
}

/* The front-end died with it. */
static void route_forget(void *context, struct router_request *head)
{
	struct request *request = (struct request *)head;

	(void)context;
	request->open = false;
	request->serial++;
	client_hears(request, ATTEMPT_LOST);
}

const struct router_shell front_router_shell = {.send = route_send, .answer = route_answer, .pause = route_pause,
						.demand = route_demand, .forget = route_forget};

enum request_kind front_kind(const char *command)
{
	static const struct {
		const char *command;
		enum request_kind kind;
	} kinds[] = {{"read", REQUEST_READ}, {"again", REQUEST_AGAIN}, {"void", REQUEST_VOID}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].command, command) == 0)
			return kinds[i].kind;
	}
	return REQUEST_WRITE;
}

void front_ask(struct stage *s, struct front_process *f, const char *body, enum request_kind kind, uint32_t timeout_ms)
{
	bool is_read = kind == REQUEST_READ;
	struct client *client = client_of(s, body);
	struct request *request = &s->requests[s->requests_count];

	must(s->requests_count < STAGE_REQUESTS);
	*request = (struct request){.stage = s, .place = s->requests_count++, .front = f->process->number,
				    .is_read = is_read, .open = true};
	snprintf(request->body, sizeof request->body, "%s", body);
	/* Another attempt at the same request adds to what is known of it; another process knows only that there was one. */
	if (!is_read && (kind == REQUEST_AGAIN || strcmp(client->asked, body) != 0 ||
			 client->track.outcome != OUTCOME_OPEN)) {
		client->track = outcome_begin(kind, true);
		snprintf(client->asked, sizeof client->asked, "%s", body);
	}
	if (is_read)
		router_read(f->router, &request->head, stage_now(s, f->process), timeout_ms);
	else
		router_write(f->router, &request->head, stage_now(s, f->process), timeout_ms);
	front_tell_demand(f);
}
