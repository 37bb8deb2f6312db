#include "tests/unit/support_node.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/cluster/convert.h"
#include "rpc/net/server.h"

#define PATIENCE_US 20000000u
#define CALL_MS 30000

struct node_rig node_rig;
char hello_said[JH_TEXT_MAX + 1];
struct node_sizes node_sizes;
_Atomic int64_t wall_ahead_us, monotonic_ahead_us;
atomic_bool disk_hangs, disk_fails;
atomic_uint listing_fails;

/* --- replacements of libc's functions ----------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, clock, time);
	int64_t ahead = clock == CLOCK_REALTIME ? atomic_load(&wall_ahead_us)
						: clock == CLOCK_MONOTONIC ? atomic_load(&monotonic_ahead_us) : 0;
	int64_t nanoseconds = time->tv_nsec + ahead % 1000000 * 1000;

	time->tv_sec += ahead / 1000000 + nanoseconds / 1000000000;
	time->tv_nsec = nanoseconds % 1000000000;
	if (time->tv_nsec < 0) {
		time->tv_nsec += 1000000000;
		time->tv_sec--;
	}
	return result;
}

int fdatasync(int fd)
{
	while (atomic_load(&disk_hangs))
		usleep(1000);
	if (atomic_load(&disk_fails)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static bool listing_fails_now(void)
{
	unsigned left = atomic_load(&listing_fails);

	if (left > 0)
		atomic_store(&listing_fails, left - 1);
	if (left == 1)
		errno = EIO;
	return left == 1;
}

/* dlsym gives an object pointer; copying it is how POSIX has it made a function. */
static void find_behind(void *function, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	must(symbol != NULL);
	memcpy(function, &symbol, sizeof symbol);
}

DIR *opendir(const char *name)
{
	DIR *(*behind)(const char *name);

	find_behind(&behind, "opendir");
	return listing_fails_now() ? NULL : behind(name);
}

struct dirent *readdir(DIR *listing)
{
	struct dirent *(*behind)(DIR *listing);

	find_behind(&behind, "readdir");
	return listing_fails_now() ? NULL : behind(listing);
}

/* --- the node ----------------------------------------------------------------------------------------------------- */

static void shell(const char *format, const char *one, const char *other)
{
	char command[2 * SCRATCH_PATH_SIZE];

	must(snprintf(command, sizeof command, format, one, other) < (int)sizeof command);
	assert_int_equal(system(command), 0);
}

void node_rig_begin(void)
{
	/* Files of a failed test stay; the next one should not wait for it. */
	atomic_store(&disk_hangs, false);
	atomic_store(&disk_fails, false);
	atomic_store(&wall_ahead_us, 0);
	atomic_store(&monotonic_ahead_us, 0);
	memset(&node_rig, 0, sizeof node_rig);
	scratch_new(node_rig.directory);
	node_begin();
	node_rig.view = (struct view){.number = 1, .format = FORMAT_HIGH, .keeper = {1, called(0xA)}, .maker = called(0xA),
				      .primary = NODE_ID, .cluster = called(0xC),
				      .generation = called(0x6), .manager = called(0xA), .members_count = 1,
				      .members = {{.id = NODE_ID, .uuid = node_rig.node->uuid}}};
	snprintf(node_rig.view.members[0].address, LIMIT_ADDRESS_BYTES, "%s", node_rig.address);
}

void node_rig_end(void)
{
	node_finish();
	scratch_remove(node_rig.directory);
}

void node_begin(void)
{
	struct node_options options = {.id = NODE_ID, .daemon = {.program_base = NODE_BASE, .data_dir = node_rig.directory},
				       .orders_max = 100, .postcodes = postcode_options_default(),
				       .replica = {.id = NODE_ID, .push_mode = PUSH_AUTO, .push_full_limit = 65536,
						   .heartbeat_ms = 50, .suspect_ms = 250, .stall_ms = 2000,
						   .read_hold_ms = 100, .orders_max = 100, .log_bytes_max = 1u << 20}};
	char error[256];

	options.postcodes.mode = POSTCODE_GRAMMAR;
	options.segment_bytes = node_sizes.segment_bytes;
	options.snapshot_bytes = node_sizes.snapshot_bytes;
	if (node_sizes.orders_max != 0)
		options.orders_max = options.replica.orders_max = node_sizes.orders_max;
	node_rig.node = node_new(&options);
	if (!rpc_server_listen(node_rig.node->server, "127.0.0.1", node_rig.address, sizeof node_rig.address, error,
			       sizeof error))
		fail_msg("%s", error);
}

int node_begins_as(unsigned listing, uint64_t op)
{
	struct report report;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		atomic_store(&listing_fails, listing);
		node_begin();
		node_report(node_rig.node, &report);
		if (report.op != op || report.state == STATE_DAMAGED)
			_exit(NODE_BEGAN_WRONG);
		_exit(atomic_load(&listing_fails) == 0 ? NODE_BEGAN_WITH : NODE_BEGAN_WITHOUT);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void node_finish(void)
{
	if (node_rig.node != NULL)
		node_free(node_rig.node);
	node_rig.node = NULL;
}

void spoil(const char *text)
{
	shell("cd '%s' && set -- $(grep -a -b -o -m 1 '%s' journal-0* /dev/null | head -n 1 | tr : ' ') && "
	      "printf X | dd of=\"$1\" bs=1 seek=\"$2\" conv=notrunc status=none", node_rig.directory, text);
}

void node_killed_and_gone(void)
{
	char old[sizeof node_rig.directory];

	memcpy(old, node_rig.directory, sizeof old);
	scratch_new(node_rig.directory);
	shell("cp -a '%s/.' '%s'", old, node_rig.directory);
	node_finish();
	scratch_remove(old);
}

void node_killed(void)
{
	node_killed_and_gone();
	node_begin();
}

void node_killed_and_spoilt(const char *text)
{
	node_killed_and_gone();
	spoil(text);
	node_begin();
}

/* --- connections -------------------------------------------------------------------------------------------------- */

void loop_until(const bool *flag)
{
	uint64_t until_us = rpc_clock_us() + PATIENCE_US;

	while (!*flag) {
		if (rpc_clock_us() > until_us)
			fail_msg("waited in vain");
		event_base_loop(node_rig.node->base, EVLOOP_ONCE);
	}
}

static void tick_over(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	*(bool *)context = true;
}

void loop_for(unsigned ticks)
{
	bool over = false;

	event_base_once(node_rig.node->base, -1, EV_TIMEOUT, tick_over, &over,
			&(struct timeval){.tv_usec = (suseconds_t)ticks * 25000});
	loop_until(&over);
}

static void connected(void *context)
{
	((struct caller *)context)->connected = true;
}

static void closed(void *context, enum rpc_end end, const char *reason)
{
	(void)end;
	(void)reason;
	((struct caller *)context)->closed = true;
}

void caller_open(struct caller *caller)
{
	static const struct rpc_channel_events events = {.connected = connected, .closed = closed};

	*caller = (struct caller){0};
	caller->channel = rpc_channel_open(node_rig.node->base, node_rig.address, NODE_BASE + NODE_ID, JH_REPLICA_V1,
					   &events, caller);
	loop_until(&caller->connected);
}

void caller_close(struct caller *caller)
{
	rpc_channel_close(caller->channel);
	caller->channel = NULL;
}

static void answered(void *context, const struct rpc_reply *reply)
{
	struct question *question = context;

	question->over = true;
	question->rpc = reply->status;
	if (reply->status == RPC_ANSWERED)
		assert_true(rpc_reply_decode(reply, question->decode, question->result));
}

CLIENT *ask(struct caller *caller, struct question *question, xdrproc_t decode, void *result)
{
	*question = (struct question){.decode = decode, .result = result};
	return rpc_channel_call(caller->channel, CALL_MS, answered, question);
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

struct uuid called(uint8_t mark)
{
	return (struct uuid){.bytes = {mark}};
}

struct identity manager_called(uint8_t mark)
{
	return (struct identity){.formats = FORMAT_RANGE_OWN, .program_base = NODE_BASE, .purpose = PURPOSE_MANAGER,
				 .uuid = called(mark), .incarnation = called(mark)};
}

jh_hello_status say_hello(struct caller *caller, const struct identity *me, const struct identity *meant)
{
	const struct identity unknown = {.program_base = NODE_BASE};
	jh_hello_args args = {.known = 0};
	jh_hello_result result = {0};
	struct question question;

	convert_identity_to_wire(me, &args.me);
	convert_identity_to_wire(meant != NULL ? meant : &unknown, &args.you);
	hello_1(&args, NULL, ask(caller, &question, (xdrproc_t)xdr_jh_hello_result, &result));
	xdr_free((xdrproc_t)xdr_jh_hello_args, &args);
	loop_until(&question.over);
	assert_int_equal(question.rpc, RPC_ANSWERED);
	/* A refusal comes with its reason. */
	assert_true((result.status == JH_HELLO_OK) == (result.error.jh_text_len == 0));
	convert_text(hello_said, sizeof hello_said, result.error.jh_text_val, result.error.jh_text_len);
	xdr_free((xdrproc_t)xdr_jh_hello_result, &result);
	return result.status;
}

jh_hello_status manager_opens(struct caller *caller, uint8_t mark)
{
	const struct identity me = manager_called(mark);

	caller_open(caller);
	return say_hello(caller, &me, NULL);
}

static jh_manage_status managed(const struct question *question, jh_manage_result *result)
{
	loop_until(&question->over);
	assert_int_equal(question->rpc, RPC_ANSWERED);
	xdr_free((xdrproc_t)xdr_jh_manage_result, result);
	return result->status;
}

jh_manage_status install_view(struct caller *manager, const struct view *view)
{
	static const struct peers none;
	struct question question;
	jh_manage_result result = {0};
	jh_install_args args;

	convert_install_to_wire(view, &none, &args);
	install_view_1(&args, NULL, ask(manager, &question, (xdrproc_t)xdr_jh_manage_result, &result));
	xdr_free((xdrproc_t)xdr_jh_install_args, &args);
	return managed(&question, &result);
}

jh_manage_status bind_manager(struct caller *manager, uint8_t mark)
{
	struct question question;
	jh_manage_result result = {0};
	jh_bind_args args = {.take_over = FALSE};

	args.manager = convert_uuid_to_wire(called(mark));
	bind_manager_1(&args, NULL, ask(manager, &question, (xdrproc_t)xdr_jh_manage_result, &result));
	return managed(&question, &result);
}

void heartbeat(struct caller *manager, uint32_t min_members, bool retire)
{
	struct question question;
	jh_report result = {0};
	jh_heartbeat_args args = {.view = node_rig.view.number, .min_members = min_members, .retire = retire};

	heartbeat_1(&args, NULL, ask(manager, &question, (xdrproc_t)xdr_jh_report, &result));
	loop_until(&question.over);
	assert_int_equal(question.rpc, RPC_ANSWERED);
	xdr_free((xdrproc_t)xdr_jh_report, &result);
}

void node_leads(struct caller *manager)
{
	struct report report;

	assert_int_equal(manager_opens(manager, 0xA), JH_HELLO_OK);
	assert_int_equal(install_view(manager, &node_rig.view), JH_MANAGE_OK);
	node_report(node_rig.node, &report);
	assert_int_equal(report.state, STATE_SERVING);
}

void lead_again(struct caller *manager)
{
	struct report report;

	node_rig.view.number++;
	assert_int_equal(manager_opens(manager, 0xA), JH_HELLO_OK);
	assert_int_equal(install_view(manager, &node_rig.view), JH_MANAGE_OK);
	loop_for(1);
	node_report(node_rig.node, &report);
	assert_int_equal(report.state, STATE_SERVING);
}

/* The front-end takes the touches off an answer; so do we. */
static bool_t decode_touches(XDR *xdr)
{
	jh_touches touches = {0};
	bool_t decoded = xdr_jh_touches(xdr, &touches);

	xdr_free((xdrproc_t)xdr_jh_touches, &touches);
	return decoded;
}

static bool_t decode_write(XDR *xdr, jh_write_result *result)
{
	return decode_touches(xdr) && xdr_jh_write_result(xdr, result);
}

static bool_t decode_read(XDR *xdr, jh_read_result *result)
{
	return decode_touches(xdr) && xdr_jh_read_result(xdr, result);
}

void submit_order(struct caller *manager, struct question *question, jh_write_result *result, uint64_t request,
		  const char *item)
{
	jh_item items = {.jh_item_len = (u_int)strlen(item), .jh_item_val = (char *)(uintptr_t)item};
	jh_submit_args args = {.view = replica_view(node_rig.node->replica)->number, .request = request,
			       .operation = {.kind = JH_OPERATION_ORDER}};
	jh_order *order = &args.operation.jh_operation_u.order;

	args.client = convert_uuid_to_wire(called(0xC1));
	order->postcode.postcode_len = 7;
	order->postcode.postcode_val = (char *)(uintptr_t)"DH1 1AA";
	order->items.items_len = 1;
	order->items.items_val = &items;
	memset(result, 0, sizeof *result);
	submit_1(&args, NULL, ask(manager, question, (xdrproc_t)decode_write, result));
}

jh_write_result order_now(struct caller *manager, uint64_t request, const char *item)
{
	struct question question;
	jh_write_result result;

	submit_order(manager, &question, &result, request, item);
	loop_until(&question.over);
	assert_int_equal(question.rpc, RPC_ANSWERED);
	xdr_free((xdrproc_t)xdr_jh_write_result, &result); /* texts; the numbers stay */
	return result;
}

jh_read_result history_now(struct caller *manager, uint64_t view, uint64_t floor, bool at_primary)
{
	jh_query_args args = {.view = view, .floor = floor, .at_primary = at_primary,
			      .query = {.kind = JH_QUERY_HISTORY}};
	jh_history_query *query = &args.query.jh_query_u.history;
	struct question question;
	jh_read_result result = {0};

	query->postcode.postcode_len = 7;
	query->postcode.postcode_val = (char *)(uintptr_t)"DH1 1AA";
	query->limit = 10;
	query_1(&args, NULL, ask(manager, &question, (xdrproc_t)decode_read, &result));
	loop_until(&question.over);
	assert_int_equal(question.rpc, RPC_ANSWERED);
	if (result.outcome == JH_DONE) {
		const jh_history *history = &result.jh_read_result_u.done.answer.jh_query_answer_u.history;

		must(history->orders.orders_len > 0);
		node_rig.shown_client =
			convert_uuid_from_wire(history->orders.orders_val[history->orders.orders_len - 1].client);
	}
	xdr_free((xdrproc_t)xdr_jh_read_result, &result);
	return result;
}
