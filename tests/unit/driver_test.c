/* Purpose: what the view manager decides reaches the router, and the other way round (frontend/driver), between a real view
 * manager and a real router: who serves, who may serve reads, which link is down, whether requests wait. */
#include "frontend/driver/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "frontend/router/router.h"

#define REQUESTS 64

static struct {
	struct views *views;
	struct router *router;
	struct driver *driver;
	struct views_stored stored;
	uint64_t now_ms, news;
	uint32_t draws, steps, connects;
	uint32_t demanded;
	uint64_t ticket; /* of the last STORE */
	bool left;
	uint64_t answered_token;
	enum views_outcome outcome;
	uint32_t calls_to[3]; /* by replica */
	struct router_request requests[REQUESTS];
	uint32_t requests_count;
} rig;

static struct uuid uuid_of(uint8_t number)
{
	return (struct uuid){.bytes = {number, 1}};
}

/* --- the shells ------------------------------------------------------------------------------------------------------ */

static void get_clock(void *context, uint64_t *now_ms, int64_t *wall_us)
{
	(void)context;
	*now_ms = rig.now_ms;
	*wall_us = (int64_t)rig.now_ms * 1000;
}

static struct uuid draw(void *context)
{
	(void)context;
	rig.draws++;
	return uuid_of((uint8_t)(100 + rig.draws % 100));
}

static void connect_to(void *context, uint32_t id, const char *address, const struct identity *me)
{
	(void)context;
	(void)id;
	assert_string_equal(address, "192.0.2.1:1");
	assert_true(uuid_equal(me->uuid, rig.stored.manager));
	assert_true(uuid_equal(me->cluster, rig.stored.view.cluster));
	rig.connects++;
}

static void disconnect(void *context, uint32_t id)
{
	(void)context;
	(void)id;
}

static void heartbeat(void *context, uint32_t id, uint64_t view, bool retire)
{
	(void)context;
	(void)id;
	(void)view;
	(void)retire;
}

static void store(void *context, uint64_t ticket, const struct views_stored *stored)
{
	(void)context;
	(void)stored;
	rig.ticket = ticket;
}

static void install(void *context, uint32_t id, const struct view *view)
{
	(void)context;
	(void)id;
	(void)view;
}

static void bind_to(void *context, uint32_t id, struct uuid manager)
{
	(void)context;
	(void)id;
	(void)manager;
}

static void answer_operator(void *context, uint64_t token, enum views_outcome outcome, const char *text)
{
	(void)context;
	(void)text;
	rig.answered_token = token;
	rig.outcome = outcome;
}

static void clean(void *context, uint32_t id, const char *address)
{
	(void)context;
	(void)id;
	(void)address;
}

static void say(void *context, int level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

static void leave(void *context, const char *text)
{
	(void)context;
	(void)text;
	rig.left = true;
}

static void end_of_step(void *context, uint64_t deadline_ms, uint64_t now_ms)
{
	(void)context;
	assert_true(deadline_ms > 0);
	assert_int_equal(now_ms, rig.now_ms);
	rig.steps++;
}

static const struct driver_shell shell = {
	.clock = get_clock,
	.draw = draw,
	.connect = connect_to,
	.disconnect = disconnect,
	.heartbeat = heartbeat,
	.store = store,
	.install = install,
	.bind = bind_to,
	.answer = answer_operator,
	.clean = clean,
	.log = say,
	.leave = leave,
	.deadline = end_of_step,
};

static void send_call(void *context, struct router_request *request, uint32_t to, uint64_t view, uint64_t floor,
		      bool at_primary, uint32_t timeout_ms)
{
	(void)context;
	(void)request;
	(void)view;
	(void)floor;
	(void)at_primary;
	(void)timeout_ms;
	assert_true(to == 1 || to == 2);
	rig.calls_to[to]++;
}

static void answer_call(void *context, struct router_request *request, enum router_end end, const void *payload,
			const char *text)
{
	(void)context;
	(void)request;
	(void)end;
	(void)payload;
	(void)text;
}

static void pause_clients(void *context, bool paused)
{
	(void)context;
	(void)paused;
}

static void demand(void *context)
{
	(void)context;
	rig.demanded++;
}

static void forget(void *context, struct router_request *request)
{
	(void)context;
	(void)request;
}

/* --- replicas 1 and 2, members of view 7, of which 1 is the primary ---------------------------------------------------- */

static struct report report_of(uint32_t id)
{
	return (struct report){.id = id,
			       .uuid = uuid_of((uint8_t)id),
			       .news = ++rig.news,
			       .view = rig.stored.view,
			       .role = id == 1 ? ROLE_PRIMARY : ROLE_BACKUP,
			       .state = id == 1 ? STATE_SERVING : STATE_FOLLOWING,
			       .entered = id == 1,
			       .whole_view = 7,
			       .op = 10,
			       .commit = 10,
			       .clock_us = (int64_t)rig.now_ms * 1000};
}

static void hello_with(uint32_t id, enum hello_status status, const struct report *report)
{
	const struct identity identity = {.formats = FORMAT_RANGE_OWN,
					  .id = id,
					  .uuid = report->uuid,
					  .incarnation = uuid_of((uint8_t)(10 + id)),
					  .cluster = rig.stored.view.cluster,
					  .generation = rig.stored.view.generation};

	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_FOUND, .found = {.id = id, .address = "192.0.2.1:1"}});
	driver_hello(rig.driver,
		     &(struct views_hello){.id = id, .status = status, .identity = &identity, .report = report});
}

static void hello(uint32_t id)
{
	const struct report report = report_of(id);

	hello_with(id, HELLO_OK, &report);
}

static void start(void)
{
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_START, .start = {.stored = &rig.stored}});
}

static int set_up(void **state)
{
	static const struct router_shell effects = {
		.send = send_call, .answer = answer_call, .pause = pause_clients, .demand = demand, .forget = forget};
	const struct router_options routing = {
		.queue_max = 1000, .default_timeout_ms = 5000, .backup_timeout_ms = 250, .retry_ms = 50};
	const struct views_options options = {
		.formats = FORMAT_RANGE_OWN, .heartbeat_ms = 50, .suspect_ms = 250, .stall_ms = 2000, .start_wait_ms = 2000, .forget_ms = 20000};
	struct view *view = &rig.stored.view;

	(void)state;
	memset(&rig, 0, sizeof rig);
	rig.now_ms = 1000;
	rig.stored.manager = uuid_of(50);
	view->number = 7;
	view->manager = rig.stored.manager;
	view->cluster = uuid_of(51);
	view->generation = uuid_of(52);
	view->primary = 1;
	view->format = FORMAT_HIGH;
	view->keeper = (struct keeper){.epoch = 1, .uuid = view->manager};
	view->maker = view->manager;
	view->members_count = view->expected_count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		view->members[i].id = view->expected[i].id = i + 1;
		view->members[i].uuid = uuid_of((uint8_t)(i + 1));
	}
	rig.views = views_new(&options);
	rig.router = router_new(&routing, &effects, NULL);
	rig.driver = driver_new(rig.views, rig.router, uuid_of(53), &shell, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	driver_free(rig.driver);
	router_free(rig.router);
	views_free(rig.views);
	return 0;
}

static void ask(bool is_read)
{
	struct router_request *request = &rig.requests[rig.requests_count++];

	assert_true(rig.requests_count <= REQUESTS);
	request->is_read = is_read;
	if (is_read)
		router_read(rig.router, request, rig.now_ms, 1000);
	else
		router_write(rig.router, request, rig.now_ms, 1000);
}

/* Whether some of the next reads go to the backup. */
static bool backup_is_read(void)
{
	uint32_t before = rig.calls_to[2];

	for (int i = 0; i < 4; i++)
		ask(true);
	return rig.calls_to[2] > before;
}

/* --- tests ----------------------------------------------------------------------------------------------------------- */

static void a_serving_primary_is_routed_to(void **state)
{
	(void)state;
	start();
	assert_false(router_serving(rig.router));
	hello(1);
	assert_int_equal(rig.connects, 1);
	assert_true(router_serving(rig.router));
	assert_int_equal(router_floor(rig.router), 10);
	ask(false);
	assert_int_equal(rig.calls_to[1], 1);
	driver_lost(rig.driver, 1, true);
	assert_false(router_serving(rig.router));
	ask(false);
	assert_int_equal(rig.calls_to[1], 1);
}

/* Rule 8: a read goes to a backup only while that one follows in the current view, with the data directory of the member. */
static void reads_go_to_followers_of_the_current_view(void **state)
{
	struct report report;

	(void)state;
	start();
	hello(1);
	hello(2);
	assert_false(backup_is_read()); /* before its first report */
	report = report_of(2);
	driver_report(rig.driver, 2, &report);
	assert_true(backup_is_read());
	report = report_of(2);
	report.state = STATE_CATCHING_UP;
	driver_report(rig.driver, 2, &report);
	assert_false(backup_is_read());
	report = report_of(2);
	report.view.number = 6;
	driver_report(rig.driver, 2, &report);
	assert_false(backup_is_read());
	report = report_of(2);
	driver_report(rig.driver, 2, &report);
	assert_true(backup_is_read());
	report = report_of(2);
	report.uuid = uuid_of(60);
	driver_report(rig.driver, 2, &report);
	assert_false(backup_is_read());
}

/* Rule 8: no read goes to a backup that computes another state, whether it says so itself or its primary does. */
static void another_state_is_not_read(void **state)
{
	struct report report;

	(void)state;
	start();
	hello(1);
	hello(2);
	report = report_of(2);
	driver_report(rig.driver, 2, &report);
	assert_true(backup_is_read());
	report.fold_differs_op = 5;
	report.news = ++rig.news;
	driver_report(rig.driver, 2, &report);
	assert_false(backup_is_read());
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_STORED, .stored = {.ticket = rig.ticket, .ok = true}});
	report = report_of(2);
	driver_report(rig.driver, 2, &report); /* it has forgotten, and compared nothing */
	assert_false(backup_is_read());
	report = report_of(2);
	report.fold_equal_op = 5;
	for (int i = 0; i < 2; i++) /* the first is what the view manager learns from */
		driver_report(rig.driver, 2, &report);
	assert_true(backup_is_read());
	report = report_of(1);
	report.needs_count = 1;
	report.needs[0] = (struct need){.kind = NEED_FOLD, .view = 7, .id = 2, .uuid = uuid_of(2)};
	driver_report(rig.driver, 1, &report);
	assert_false(backup_is_read());
}

/* A route makes readers of the backups whose reports came before it. */
static void followers_heard_before_the_route_are_read(void **state)
{
	(void)state;
	start();
	hello(2);
	hello(1);
	assert_true(backup_is_read());
	driver_lost(rig.driver, 2, false);
	assert_false(backup_is_read());
}

/* The view manager hears that requests wait once, and before the event at hand; nothing before START. */
static void demand_is_told_before_the_event(void **state)
{
	(void)state;
	ask(false);
	assert_int_equal(rig.demanded, 1);
	driver_demand(rig.driver);
	assert_int_equal(rig.steps, 0);
	start();
	assert_int_equal(rig.steps, 1);
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_TICK});
	assert_int_equal(rig.steps, 3);
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_TICK});
	driver_demand(rig.driver);
	assert_int_equal(rig.steps, 4);
}

/* Rule 20: a replaced front-end says so once; afterwards it only refuses operator requests, and draws nothing for them. */
static void a_replaced_one_only_refuses(void **state)
{
	struct report report = report_of(2);
	uint32_t draws;

	(void)state;
	start();
	hello(1);
	report.view.number = 8;
	report.view.manager = uuid_of(70);
	hello_with(2, HELLO_BOUND, &report);
	assert_true(rig.left);
	assert_false(router_serving(rig.router));
	draws = rig.draws;
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_SWITCHOVER, .operator = {.token = 5, .id = 2}});
	assert_int_equal(rig.answered_token, 5);
	assert_int_equal(rig.outcome, VIEWS_REFUSED);
	assert_int_equal(rig.draws, draws);
}

/* Rule 3: promote --force begins a generation without a floor. */
static void a_promotion_forgets_the_floor(void **state)
{
	(void)state;
	start();
	hello(1);
	hello(2);
	assert_int_equal(router_floor(rig.router), 10);
	driver_lost(rig.driver, 1, false);
	assert_false(router_serving(rig.router));
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_PROMOTE,
						      .operator = {.token = 5, .id = 2, .confirm = true}});
	assert_int_equal(router_floor(rig.router), 10); /* the new view is not stored yet */
	assert_true(rig.ticket != 0);
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_STORED, .stored = {.ticket = rig.ticket, .ok = true}});
	assert_int_equal(router_floor(rig.router), 0);
}

/* A binding opens the link as a hello does: what waits goes to a replica that a predecessor had bound. */
static void a_bound_replica_is_sent_what_waits(void **state)
{
	struct report report;

	(void)state;
	start();
	hello(1);
	report = report_of(2);
	report.view.manager = uuid_of(70);
	report.view.number = 6;
	report.uuid = uuid_of(60);
	hello_with(2, HELLO_BOUND, &report);
	report.news = ++rig.news;
	report.view.manager = rig.stored.manager;
	driver_bound(rig.driver, 2, &report);
	driver_lost(rig.driver, 1, false);
	ask(false);
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_PROMOTE,
						      .operator = {.token = 5, .id = 2, .confirm = true}});
	assert_true(rig.ticket != 0);
	driver_step(rig.driver, &(struct views_event){.kind = VIEWS_STORED, .stored = {.ticket = rig.ticket, .ok = true}});
	report.news = ++rig.news;
	report.view = *views_current(rig.views);
	report.role = ROLE_PRIMARY;
	report.state = STATE_SERVING;
	report.entered = true;
	report.whole_view = report.view.number;
	assert_int_equal(rig.calls_to[2], 0);
	driver_report(rig.driver, 2, &report);
	assert_true(router_serving(rig.router));
	assert_int_equal(rig.calls_to[2], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_serving_primary_is_routed_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_go_to_followers_of_the_current_view, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_state_is_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(followers_heard_before_the_route_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(demand_is_told_before_the_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_replaced_one_only_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_promotion_forgets_the_floor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bound_replica_is_sent_what_waits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
