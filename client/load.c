#include "client/load.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client/answer.h"
#include "client/finder.h"
#include "client/interrupt.h"
#include "client/outcome.h"
#include "client/rejection.h"
#include "client/workload.h"
#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/uuid.h"
#include "rpc/cluster/convert.h"
#include "rpc/frontend.h"
#include "rpc/net/channel.h"
#include "rpc/net/loop.h"

#define GRACE_MS 50 /* like a session's */
#define TICK_US 20000
#define PROGRESS_US 200000
#define SPARE_FILES 64
#define SILENCE_US 2000000
#define SILENCE_AGAIN_US 5000000
#define SILENCE_END_US 5000000 /* any take-over is over by then: the end of a run waits no longer for requests */

struct load {
	const struct load_options *options;
	struct load_result *result;
	struct event_base *base;
	struct finder *finder;
	struct event *tick, *interrupt;
	struct load_client *clients;
	uint64_t begun_us;     /* when connecting began */
	uint64_t started_us;   /* when the first request was sent; 0: not yet */
	uint64_t stop_us;      /* no new request from then on; 0: not known */
	uint64_t progress_us;  /* of the last report */
	uint64_t answered_us;  /* when a client last got done or refused, or the start */
	uint64_t silence_us;   /* when silence was last reported; 0: not since the last answer */
	uint64_t turn;         /* orders started */
	uint64_t orders_open;  /* orders under way */
	uint32_t clients_open; /* requests under way */
	bool stopping;
	char (*postcodes)[WORKLOAD_POSTCODE_SIZE];
};

/* A client is idle or has a request under way, which is in flight or waits for a connection or the next tick. */
struct load_client {
	struct load *load;
	struct rpc_channel *channel;
	bool connected;
	bool busy;      /* a request is under way */
	bool in_flight; /* a call of that request is under way */
	bool is_read;
	struct uuid uuid;
	uint64_t request;
	uint64_t turn;
	uint64_t random;
	uint64_t asked_us; /* when the request began */
	struct request_track track;
};

static void begin_request(struct load_client *client);

/* --- one request ------------------------------------------------------------------------------------------------ */

static const char *postcode_of(const struct load_client *client)
{
	return client->load->postcodes[client->turn % client->load->options->postcodes];
}

/* Ends the request under way and begins the next one. */
static void end_request(struct load_client *client, uint64_t now_us)
{
	struct load *load = client->load;
	struct load_result *result = load->result;
	uint64_t waited_us = now_us - client->asked_us;

	must(client->busy);
	must(client->track.outcome != OUTCOME_OPEN);
	client->busy = false;
	load->clients_open--;
	if (!client->is_read)
		load->orders_open--;
	if (waited_us > result->max_gap_us)
		result->max_gap_us = waited_us;
	result->elapsed_us = now_us - load->started_us;
	if (client->track.outcome == OUTCOME_DONE || client->track.outcome == OUTCOME_REFUSED) {
		load->answered_us = now_us;
		load->silence_us = 0;
	}
	switch (client->track.outcome) {
	case OUTCOME_DONE:
		histogram_record(&result->latency_us, waited_us);
		*(client->is_read ? &result->reads : &result->orders) += 1;
		break;
	case OUTCOME_REFUSED:
		result->refused++;
		break;
	case OUTCOME_UNKNOWN:
		result->unknown++;
		result->errors++;
		break;
	default:
		result->errors++;
	}
	begin_request(client);
}

static void log_order(struct load_client *client, const jh_order_placed *placed)
{
	struct load *load = client->load;
	char uuid[UUID_TEXT_SIZE];

	if (!load->options->log || load->result->log_errno)
		return;
	if (fprintf(load->options->log, "%s %llu %.*s %llu %u\n", uuid_format(client->uuid, uuid),
		    (unsigned long long)client->request, (int)placed->postcode.postcode_len,
		    placed->postcode.postcode_val, (unsigned long long)placed->op, placed->number) >= 0)
		return;
	/* Requests that cannot be recorded are not sent. */
	load->result->log_errno = errno;
	load->stopping = true;
}

static enum attempt read_write_result(struct load_client *client, const struct rpc_reply *reply)
{
	struct load_result *told = client->load->result;
	struct jh_write_result result;
	struct answer_why why;
	enum attempt attempt;

	memset(&result, 0, sizeof result);
	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_write_result, &result))
		return ATTEMPT_LOST;
	attempt = answer_write(&result, &why, told->error, sizeof told->error);
	if (attempt == ATTEMPT_DONE && !client->track.voids)
		log_order(client, &result.jh_write_result_u.done.answer.jh_operation_answer_u.order);
	xdr_free((xdrproc_t)xdr_jh_write_result, &result);
	return attempt;
}

static enum attempt read_read_result(struct load_client *client, const struct rpc_reply *reply)
{
	struct load_result *told = client->load->result;
	struct jh_read_result result;
	struct answer_why why;
	enum attempt attempt;

	memset(&result, 0, sizeof result);
	if (!rpc_reply_decode(reply, (xdrproc_t)xdr_jh_read_result, &result))
		return ATTEMPT_LOST;
	attempt = answer_read(&result, &why, told->error, sizeof told->error);
	xdr_free((xdrproc_t)xdr_jh_read_result, &result);
	return attempt;
}

static void disconnect(struct load_client *client)
{
	if (client->connected)
		client->load->result->connected--;
	client->connected = false;
	rpc_channel_close(client->channel);
	client->channel = NULL;
	finder_look(client->load->finder);
}

static void on_answer(void *context, const struct rpc_reply *reply)
{
	struct load_client *client = context;
	enum attempt attempt;

	must(client->busy);
	must(client->in_flight);
	client->in_flight = false;
	if (reply->status != RPC_ANSWERED) {
		rejection_describe(reply, client->load->options->client, rpc_channel_address(client->channel),
				   client->load->result->error, sizeof client->load->result->error);
		attempt = rejection_attempt(reply->status);
	} else {
		attempt = client->is_read ? read_read_result(client, reply) : read_write_result(client, reply);
	}
	if (reply->status == RPC_NOT_SERVED)
		disconnect(client);
	/* A repeated request is sent when the client has reconnected, or at the next tick. */
	if (!outcome_attempt(&client->track, attempt))
		end_request(client, rpc_clock_us());
}

/* Or, in doubt after a refusal, a VOID of its number. */
static void send_order(struct load_client *client, uint32_t timeout_ms, CLIENT *call)
{
	struct jh_place_args args = {.request = client->request, .timeout_ms = timeout_ms};
	jh_item items[2];

	args.client = convert_uuid_to_wire(client->uuid);
	args.operation.kind = client->track.voids ? JH_OPERATION_VOID : JH_OPERATION_ORDER;
	if (!client->track.voids)
		workload_order(client->turn, postcode_of(client), items, &args.operation.jh_operation_u.order);
	place_order_2(&args, NULL, call);
}

static void send_read(struct load_client *client, uint32_t timeout_ms, CLIENT *call)
{
	struct jh_read_args args = {.timeout_ms = timeout_ms, .query = {.kind = JH_QUERY_HISTORY}};
	struct jh_history_query *query = &args.query.jh_query_u.history;

	query->postcode.postcode_val = (char *)postcode_of(client);
	query->postcode.postcode_len = (u_int)strlen(postcode_of(client));
	query->limit = client->load->options->read_orders;
	read_history_2(&args, NULL, call);
}

/* Sends the request under way, for the first time or again; ends it when its deadline has passed. */
static void send_request(struct load_client *client, uint64_t now_us)
{
	uint64_t timeout_us = client->load->options->client->timeout_ms * 1000ull;
	uint64_t gone_us = now_us - client->asked_us;
	uint32_t left_ms;
	CLIENT *call;

	must(client->busy);
	must(!client->in_flight);
	if (gone_us >= timeout_us) {
		outcome_give_up(&client->track);
		end_request(client, now_us);
		return;
	}
	if (!client->connected)
		return;
	left_ms = (uint32_t)((timeout_us - gone_us) / 1000) + 1;
	client->in_flight = true;
	call = rpc_channel_call(client->channel, left_ms + GRACE_MS, on_answer, client);
	if (client->is_read)
		send_read(client, left_ms, call);
	else
		send_order(client, left_ms, call);
}

/* xorshift64: which requests are reads depends only on the client and its count. */
static bool next_is_read(struct load_client *client)
{
	client->random ^= client->random << 13;
	client->random ^= client->random >> 7;
	client->random ^= client->random << 17;
	return client->random % 100 < client->load->options->reads_percent;
}

static bool enough(const struct load *load, uint64_t now_us)
{
	uint64_t wanted = load->options->orders;

	if (load->stopping || (load->stop_us && now_us >= load->stop_us))
		return true;
	/* As many failures as orders wanted: continuing will not help. */
	return wanted && (load->result->orders + load->orders_open >= wanted ||
			  load->result->refused + load->result->errors >= wanted);
}

static void begin_request(struct load_client *client)
{
	struct load *load = client->load;
	uint64_t now_us = rpc_clock_us();

	if (enough(load, now_us)) {
		/* A refused or failed order may have to be replaced; the tick then wakes idle clients. */
		if (!load->clients_open)
			event_base_loopbreak(load->base);
		return;
	}
	client->busy = true;
	load->clients_open++;
	client->is_read = next_is_read(client);
	client->asked_us = now_us;
	client->turn = load->turn++;
	client->track = outcome_begin(client->is_read ? REQUEST_READ : REQUEST_WRITE, true);
	if (!client->is_read) {
		load->orders_open++;
		if (load->options->fresh_clients) {
			client->uuid = uuid_draw();
			client->request = 0;
		}
		client->request++; /* RULE 11: rising, one in flight; every attempt at this order keeps it */
	}
	send_request(client, now_us);
}

/* --- connections ------------------------------------------------------------------------------------------------ */

static void on_connected(void *context)
{
	struct load_client *client = context;
	struct load *load = client->load;

	client->connected = true;
	load->result->connected++;
	finder_settled(load->finder);
	if (load->started_us) {
		if (client->busy)
			send_request(client, rpc_clock_us());
		return;
	}
	if (load->result->connected < load->options->clients)
		return;
	load->started_us = rpc_clock_us();
	load->answered_us = load->started_us;
	load->result->started = true;
	interrupt_last_words("justhungry: bench ends before its figures are known: orders may have been placed\n");
	interrupt_may_have_left();
	if (load->options->duration_us)
		load->stop_us = load->started_us + load->options->duration_us;
	for (uint32_t i = 0; i < load->options->clients; i++)
		begin_request(&load->clients[i]);
}

static void on_closed(void *context, enum rpc_end end, const char *reason)
{
	struct load_client *client = context;

	(void)end;
	must(!client->in_flight);
	snprintf(client->load->result->error, sizeof client->load->result->error, "%s", reason);
	disconnect(client);
}

static void on_found(void *context, const char *address, const char *error)
{
	static const struct rpc_channel_events events = {.connected = on_connected, .closed = on_closed};
	struct load *load = context;

	if (!address) {
		snprintf(load->result->error, sizeof load->result->error, "%s", error);
		finder_look(load->finder);
		return;
	}
	for (uint32_t i = 0; i < load->options->clients; i++) {
		struct load_client *client = &load->clients[i];

		if (!client->channel)
			client->channel = rpc_channel_open(load->base, address, load->options->client->program_base,
							   JH_FRONTEND_V2, &events, client);
	}
}

/* --- the loop --------------------------------------------------------------------------------------------------- */

/* True: no answers arrive any more, and the run is over. */
static bool watch_silence(struct load *load, uint64_t now_us)
{
	const struct load_options *options = load->options;
	uint64_t silent_us = now_us - load->answered_us;
	bool over = load->stop_us ? now_us >= load->stop_us && silent_us >= SILENCE_END_US
				  : silent_us >= options->client->timeout_ms * 1000ull;

	if (over) {
		load->result->elapsed_us = now_us - load->started_us;
		event_base_loopbreak(load->base);
	}
	if (options->silence && silent_us >= SILENCE_US &&
	    (!load->silence_us || now_us - load->silence_us >= SILENCE_AGAIN_US)) {
		load->silence_us = now_us;
		options->silence(options->context, silent_us, load->result->error);
	}
	return over;
}

static void on_tick(evutil_socket_t none, short what, void *context)
{
	struct load *load = context;
	uint64_t now_us = rpc_clock_us();

	(void)none;
	(void)what;
	if (load->options->progress && now_us - load->progress_us >= PROGRESS_US) {
		load->progress_us = now_us;
		if (load->started_us)
			load->result->elapsed_us = now_us - load->started_us;
		load->options->progress(load->options->context, load->result);
	}
	if (!load->started_us) {
		if (now_us - load->begun_us >= load->options->client->timeout_ms * 1000ull)
			event_base_loopbreak(load->base);
		return;
	}
	/* First, so that no request is sent that would not be waited for. */
	if (watch_silence(load, now_us))
		return;
	for (uint32_t i = 0; i < load->options->clients; i++) {
		struct load_client *client = &load->clients[i];

		if (!client->busy)
			begin_request(client);
		else if (!client->in_flight)
			send_request(client, now_us);
	}
}

static void on_interrupt(evutil_socket_t fd, short what, void *context)
{
	struct load *load = context;

	(void)fd;
	(void)what;
	interrupt_take();
	/* The first signal waits for requests under way, the second does not. */
	if (load->stopping || !load->started_us)
		event_base_loopbreak(load->base);
	if (!load->started_us)
		snprintf(load->result->error, sizeof load->result->error, "ended by %s: nothing was sent",
			 interrupt_name());
	load->stopping = true;
}

/* Raises the descriptor limit for all clients, as far as the hard limit permits. */
static void raise_file_limit(uint32_t clients)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= clients + SPARE_FILES)
		return;
	limit.rlim_cur = clients + SPARE_FILES < limit.rlim_max ? clients + SPARE_FILES : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void prepare(struct load *load)
{
	static const struct timeval tick = {.tv_usec = TICK_US};
	const struct load_options *options = load->options;

	raise_file_limit(options->clients);
	load->base = loop_new();
	load->clients = calloc(options->clients, sizeof *load->clients);
	load->postcodes = calloc(options->postcodes, sizeof *load->postcodes);
	must_allocate(load->base);
	must_allocate(load->clients);
	must_allocate(load->postcodes);
	for (uint32_t i = 0; i < options->postcodes; i++)
		workload_postcode(i, load->postcodes[i]);
	for (uint32_t i = 0; i < options->clients; i++)
		load->clients[i] = (struct load_client){
			.load = load, .uuid = uuid_draw(), .random = (i + 1) * 0x9e3779b97f4a7c15ull};
	load->finder = finder_new(load->base, options->client, on_found, load);
	load->tick = event_new(load->base, -1, EV_PERSIST, on_tick, load);
	interrupt_catch();
	load->interrupt = event_new(load->base, interrupt_fd(), EV_READ | EV_PERSIST, on_interrupt, load);
	must_allocate(load->tick);
	must_allocate(load->interrupt);
	event_add(load->tick, &tick);
	event_add(load->interrupt, NULL);
}

/* Requests cut off by a second control-C or by silence are counted with their true outcome. */
static void count_open(struct load *load)
{
	uint64_t now_us = rpc_clock_us();

	for (uint32_t i = 0; i < load->options->clients; i++) {
		if (!load->clients[i].busy)
			continue;
		if (load->clients[i].in_flight)
			outcome_attempt(&load->clients[i].track, ATTEMPT_LOST);
		if (now_us - load->clients[i].asked_us > load->result->max_gap_us)
			load->result->max_gap_us = now_us - load->clients[i].asked_us;
		load->result->errors++;
		if (outcome_give_up(&load->clients[i].track) == OUTCOME_UNKNOWN)
			load->result->unknown++;
	}
}

void load_run(const struct load_options *options, struct load_result *result)
{
	struct load load = {.options = options, .result = result};

	memset(result, 0, sizeof *result);
	prepare(&load);
	load.begun_us = rpc_clock_us();
	finder_look(load.finder);
	event_base_dispatch(load.base);
	interrupt_last_words(NULL);
	count_open(&load);
	for (uint32_t i = 0; i < options->clients; i++)
		rpc_channel_close(load.clients[i].channel);
	finder_free(load.finder);
	event_free(load.tick);
	event_free(load.interrupt);
	event_base_free(load.base);
	free(load.clients);
	free(load.postcodes);
}
