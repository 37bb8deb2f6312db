#include "tests/unit/support_router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static void shell_send(void *context, struct router_request *head, uint32_t to, uint64_t view, uint64_t floor,
		       bool at_primary, uint32_t timeout_ms)
{
	struct world *world = context;
	struct request *request = (struct request *)head;

	assert_int_equal(request->answers, 0);
	request->sends++;
	request->to = to;
	request->view = view;
	request->floor = floor;
	request->at_primary = at_primary;
	request->timeout_ms = timeout_ms;
	world->sent[world->sent_count++] = request->number;
}

static void shell_answer(void *context, struct router_request *head, enum router_end end, const void *payload,
			 const char *text)
{
	struct request *request = (struct request *)head;

	(void)context;
	request->answers++;
	request->end = end;
	request->payload = payload;
	snprintf(request->text, sizeof request->text, "%s", text == NULL ? "" : text);
}

static void shell_pause(void *context, bool paused)
{
	struct world *world = context;

	assert_int_not_equal(world->paused, paused);
	world->paused = paused;
	world->pauses++;
}

static void shell_demand(void *context)
{
	((struct world *)context)->demands++;
}

static void shell_forget(void *context, struct router_request *head)
{
	(void)context;
	((struct request *)head)->answers++;
}

static int set_up_window(void **state, uint32_t window)
{
	static const struct router_shell shell = {shell_send, shell_answer, shell_pause, shell_demand, shell_forget};
	struct router_options options = {
		.queue_max = 100, .default_timeout_ms = 10000, .backup_timeout_ms = 250, .retry_ms = 50,
		.writes_window = window, .reads_window = window};
	struct world *world = calloc(1, sizeof *world);

	world->router = router_new(&options, &shell, world);
	world->now_ms = 1000000;
	*state = world;
	return 0;
}

int router_set_up(void **state)
{
	return set_up_window(state, 0);
}

int router_set_up_narrow(void **state)
{
	return set_up_window(state, 4);
}

int router_tear_down(void **state)
{
	struct world *world = *state;

	router_free(world->router);
	for (int i = 0; i < world->count; i++)
		assert_int_equal(world->requests[i].answers, 1);
	free(world);
	return 0;
}

static struct request *next_request(struct world *world)
{
	struct request *request = &world->requests[world->count];

	assert_true(world->count < REQUESTS);
	request->number = world->count++;
	return request;
}

struct request *write_one(struct world *world, uint32_t timeout_ms)
{
	struct request *request = next_request(world);

	router_write(world->router, &request->head, world->now_ms, timeout_ms);
	return request;
}

struct request *read_one(struct world *world, uint32_t timeout_ms)
{
	struct request *request = next_request(world);

	router_read(world->router, &request->head, world->now_ms, timeout_ms);
	return request;
}

void reply(struct world *world, struct request *request, enum router_reply how, uint64_t op)
{
	router_answered(world->router, &request->head, how, op, request, world->now_ms);
}

void serve(struct world *world, uint64_t view, uint32_t primary, uint64_t commit)
{
	router_link(world->router, primary, true, world->now_ms);
	router_route(world->router, view, primary, commit, world->now_ms);
}

void pass_time(struct world *world, uint64_t ms)
{
	for (uint64_t end = world->now_ms + ms; world->now_ms < end; world->now_ms++)
		router_tick(world->router, world->now_ms);
}
