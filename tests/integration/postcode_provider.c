/* Simulates both postcode providers, with their documented answers, on one HTTP port of this machine, so that no test
 * needs the internet or loads a public service. Prints "port N" and runs until its standard input is closed or SIGTERM.
 *
 *   postcode_provider [--address A] [--port N] [--slow-ms N] [--behave NAME]
 *     GET /postcodes/{pc}/validate   as postcodes.io
 *     GET /postcode/{pc}             as getthedata.com
 *     GET /count                     {"postcodes_io":N,"getthedata":N}: questions so far, whatever the answers
 *
 * The answer to a question is chosen by, first found: the first segment of the path (base URL
 * http://127.0.0.1:N/slow), the option --behave (default: by postcode), the outward code. No ZY district exists, and
 * all pass the grammar:
 *
 *   name        outward  answer
 *   valid       others   the postcode exists (getthedata.com: no_match for BT, as it knows no Northern Ireland)
 *   invalid     ZY1      there is no such postcode
 *   missing     ZY2      404, {"status":404,"error":"Postcode not found"}; getthedata.com: no_match
 *   terminated  ZY3      the same with a "terminated" object; getthedata.com: a match that is not live
 *   limited     ZY4      429
 *   broken      ZY5      500
 *   slow        ZY6      as valid, but after --slow-ms (3000)
 *   truncated   ZY7      the connection ends in the middle of the body
 *   notjson     ZY8      200 with a web page
 *   redirect    ZY9      302 to the same question at /valid/..., which would be answered as valid
 *   oversized   ZY10     the valid answer followed by 64 KiB of blanks
 *   silent      ZY11     nothing, ever
 *   wrongpath   ZY12     404, {"status":404,"error":"Resource not found"}
 *   another     ZY13     as valid, for another postcode
 *   empty       ZY14     204
 *   forbidden   ZY15     403 with a web page
 *   webpage404  ZY16     404 with a web page
 *   deaf        ZY17     as valid, but once per connection: further questions on a kept one are never answered
 *   worn        ZY18     the same, but they get half an answer, and the connection is closed */
#include <argp.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VALID, INVALID, MISSING, TERMINATED, LIMITED, BROKEN, SLOW, TRUNCATED, NOTJSON, REDIRECT, OVERSIZED, SILENT,
       WRONGPATH, ANOTHER, EMPTY, FORBIDDEN, WEBPAGE404, DEAF, WORN, BEHAVIOURS };

static const char *const names[BEHAVIOURS] = {"valid", "invalid", "missing", "terminated", "limited", "broken", "slow",
					      "truncated", "notjson", "redirect", "oversized", "silent", "wrongpath",
					      "another", "empty", "forbidden", "webpage404", "deaf", "worn"};

struct provider {
	struct event_base *base;
	const char *address;
	int port;
	int slow_ms;
	int behaviour; /* -1: by postcode */
	unsigned long postcodes_io_count;
	unsigned long getthedata_count;
	bool kept[65536]; /* by the port at the other end: a connection of deaf or worn that has had its answer */
};

struct question {
	struct provider *provider;
	const char *path; /* after the behaviour's name, if there was one */
	bool getthedata;
	char postcode[16];
	int behaviour;
};

/* A delayed answer; the client may leave first. */
struct held {
	struct evhttp_request *request;
	struct question question;
	struct event *timer;
};

static int behaviour_named(const char *name, size_t size)
{
	for (int i = 0; i < BEHAVIOURS; i++)
		if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
			return i;
	return -1;
}

static int behaviour_of(const char *postcode)
{
	int district = 0;

	if (sscanf(postcode, "ZY%d ", &district) == 1 && district > VALID && district < BEHAVIOURS)
		return district;
	return VALID;
}

/* False: neither provider has such a path. */
static bool parse(struct provider *provider, const char *path, struct question *question)
{
	char *decoded;
	size_t size;
	int prefix = -1;
	int end = 0;
	const char *second = path[0] == '/' ? strchr(path + 1, '/') : NULL;

	if (second)
		prefix = behaviour_named(path + 1, (size_t)(second - path - 1));
	*question = (struct question){.provider = provider, .path = prefix >= 0 ? second : path};
	decoded = evhttp_uridecode(question->path, 0, &size);
	if (!decoded)
		return false;
	question->getthedata = strncmp(decoded, "/postcode/", 10) == 0;
	int found = sscanf(decoded,
			   question->getthedata ? "/postcode/%15[A-Z0-9 ]%n" : "/postcodes/%15[A-Z0-9 ]/validate%n",
			   question->postcode, &end);
	bool whole = found == 1 && end > 0 && (size_t)end == size;
	free(decoded);
	question->behaviour = prefix;
	if (question->behaviour < 0)
		question->behaviour = provider->behaviour;
	if (question->behaviour < 0)
		question->behaviour = behaviour_of(question->postcode);
	return whole;
}

static void header(struct evhttp_request *request, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static void send_text(struct evhttp_request *request, int status, const char *type, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	header(request, "Content-Type", type);
	evbuffer_add(body, text, strlen(text));
	evhttp_send_reply(request, status, NULL, body);
	evbuffer_free(body);
}

static void write_verdict(const struct question *question, bool exists, char *out, size_t size)
{
	const char *postcode = question->behaviour == ANOTHER ? "SW1A 1AA" : question->postcode;

	if (!question->getthedata && question->behaviour == ANOTHER)
		snprintf(out, size, "{\"status\":200,\"postcode\":\"%s\",\"result\":true}", postcode);
	else if (!question->getthedata)
		snprintf(out, size, "{\"status\":200,\"result\":%s}", exists ? "true" : "false");
	else if (exists && strncmp(postcode, "BT", 2) != 0)
		snprintf(out, size,
			 "{\"status\":\"match\",\"match_type\":\"unit_postcode\",\"input\":\"%s\",\"data\":{"
			 "\"postcode\":\"%s\","
			 "\"status\":\"%s\",\"country\":\"England\"},\"copyright\":[\"\"]}",
			 postcode, postcode, question->behaviour == TERMINATED ? "terminated" : "live");
	else
		snprintf(out, size, "{\"status\":\"no_match\",\"match_type\":null,\"input\":\"%s\",\"data\":null}",
			 postcode);
}

static void answer_redirect(struct evhttp_request *request, const struct question *question)
{
	char target[512];

	snprintf(target, sizeof(target), "http://%s:%d/valid%s", question->provider->address, question->provider->port,
		 question->path);
	header(request, "Location", target);
	send_text(request, 302, "text/plain", "Found\n");
}

static void answer_oversized(struct evhttp_request *request, const char *verdict)
{
	size_t size = 64 << 10;
	char *body = malloc(size + 1);

	if (!body)
		abort();
	memset(body, ' ', size);
	memcpy(body, verdict, strlen(verdict));
	body[size] = '\0';
	send_text(request, 200, "application/json", body);
	free(body);
}

/* postcodes.io's answer for a postcode that it does not know, or no longer knows. */
static void answer_unknown(struct evhttp_request *request, const struct question *question)
{
	char text[256];

	snprintf(text, sizeof text,
		 question->behaviour == TERMINATED
			 ? "{\"status\":404,\"error\":\"Postcode not found\",\"terminated\":{\"postcode\":\"%s\","
			   "\"year_terminated\":1996,\"month_terminated\":6,\"longitude\":-2.242851,\"latitude\":57.101474}}"
			 : "{\"status\":404,\"error\":\"Postcode not found\"}",
		 question->postcode);
	send_text(request, 404, "application/json; charset=utf-8", text);
}

static void answer_truncated(struct evhttp_request *request, const char *verdict)
{
	header(request, "Content-Length", "4096");
	header(request, "Connection", "close");
	send_text(request, 200, "application/json", verdict);
}

static void answer_wrongly(struct evhttp_request *request, const struct question *question, const char *verdict)
{
	const char *json = "application/json; charset=utf-8";

	switch (question->behaviour) {
	case LIMITED:
		header(request, "Retry-After", "1");
		send_text(request, 429, "text/plain", "Too Many Requests\n");
		break;
	case BROKEN:
		send_text(request, 500, json, "{\"status\":500,\"error\":\"Internal server error\"}");
		break;
	case TRUNCATED:
		answer_truncated(request, verdict);
		break;
	case NOTJSON:
		send_text(request, 200, "text/html",
			  "<html><body>Please log in to the hotel's network</body></html>\n");
		break;
	case REDIRECT:
		answer_redirect(request, question);
		break;
	case OVERSIZED:
		answer_oversized(request, verdict);
		break;
	case WRONGPATH:
		send_text(request, 404, json, "{\"status\":404,\"error\":\"Resource not found\"}");
		break;
	case EMPTY:
		evhttp_send_reply(request, 204, NULL, NULL);
		break;
	case FORBIDDEN:
		send_text(request, 403, "text/html", "<html><body>Forbidden</body></html>\n");
		break;
	case WEBPAGE404:
		send_text(request, 404, "text/html", "<html><body>Not found</body></html>\n");
		break;
	default:
		send_text(request, 200, json, verdict);
	}
}

static void answer(struct evhttp_request *request, const struct question *question)
{
	char verdict[512];
	int behaviour = question->behaviour;

	write_verdict(question, behaviour != INVALID && behaviour != MISSING, verdict, sizeof(verdict));
	if (!question->getthedata && (behaviour == MISSING || behaviour == TERMINATED))
		answer_unknown(request, question);
	else
		answer_wrongly(request, question, verdict);
}

static bool *kept_of(struct provider *provider, struct evhttp_connection *connection)
{
	char *address;
	ev_uint16_t port;

	evhttp_connection_get_peer(connection, &address, &port);
	return &provider->kept[port];
}

static void on_kept_left(struct evhttp_connection *connection, void *context)
{
	*kept_of(context, connection) = false;
}

static void on_left(struct evhttp_connection *connection, void *context)
{
	struct held *held = context;

	*kept_of(held->question.provider, connection) = false;
	event_free(held->timer);
	free(held);
}

static void on_held_enough(evutil_socket_t nothing, short what, void *context)
{
	struct held *held = context;

	(void)nothing;
	(void)what;
	evhttp_connection_set_closecb(evhttp_request_get_connection(held->request), NULL, NULL);
	answer(held->request, &held->question);
	event_free(held->timer);
	free(held);
}

/* silent: forever, until the client leaves. */
static void hold(struct evhttp_request *request, const struct question *question)
{
	struct held *held = calloc(1, sizeof(*held));
	int slow_ms = question->provider->slow_ms;
	struct timeval later = {.tv_sec = slow_ms / 1000, .tv_usec = slow_ms % 1000 * 1000L};

	if (!held)
		abort();
	held->request = request;
	held->question = *question;
	held->timer = evtimer_new(question->provider->base, on_held_enough, held);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_left, held);
	if (question->behaviour == SLOW)
		evtimer_add(held->timer, &later);
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct provider *provider = context;
	struct question question;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));

	if (path && strcmp(path, "/count") == 0) {
		char text[96];
		snprintf(text, sizeof(text), "{\"postcodes_io\":%lu,\"getthedata\":%lu}\n",
			 provider->postcodes_io_count, provider->getthedata_count);
		send_text(request, 200, "application/json", text);
		return;
	}
	if (!path || !parse(provider, path, &question)) {
		send_text(request, 404, "application/json", "{\"status\":404,\"error\":\"Resource not found\"}");
		return;
	}
	if (question.getthedata)
		provider->getthedata_count++;
	else
		provider->postcodes_io_count++;

	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	bool again = *kept_of(provider, connection);

	if (question.behaviour == DEAF || question.behaviour == WORN) {
		*kept_of(provider, connection) = true;
		evhttp_connection_set_closecb(connection, on_kept_left, provider);
	}
	if (question.behaviour == SLOW || question.behaviour == SILENT || (question.behaviour == DEAF && again))
		hold(request, &question);
	else if (question.behaviour == WORN && again)
		answer_truncated(request, "{\"status\":200,\"result\":tr");
	else
		answer(request, &question);
}

static void on_input(evutil_socket_t input, short what, void *context)
{
	char ignored[256];

	(void)what;
	if (read(input, ignored, sizeof(ignored)) <= 0)
		event_base_loopbreak(context);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	event_base_loopbreak(context);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct provider *provider = state->input;

	switch (key) {
	case 'a':
		provider->address = argument;
		return 0;
	case 'p':
		provider->port = atoi(argument);
		return 0;
	case 's':
		provider->slow_ms = atoi(argument);
		return 0;
	case 'b':
		provider->behaviour = behaviour_named(argument, strlen(argument));
		if (provider->behaviour < 0)
			argp_error(state, "no behaviour is called %s", argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int listening_port(struct evhttp_bound_socket *bound)
{
	union {
		struct sockaddr_in6 six;
		struct sockaddr_in four;
		struct sockaddr any;
	} address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(evhttp_bound_socket_get_fd(bound), &address.any, &size) != 0)
		return -1;
	return ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"address", 'a', "A", 0, "listen there (127.0.0.1)", 0},
		{"port", 'p', "N", 0, "listen on this port (any free one)", 0},
		{"slow-ms", 's', "N", 0, "how slow slow is (3000)", 0},
		{"behave", 'b', "NAME", 0, "answer every question this way", 0},
		{0},
	};
	static const struct argp argp = {options, parse_option, NULL, "Plays postcodes.io and getthedata.com.",
					 NULL,	  NULL,		NULL};
	static struct provider provider = {.address = "127.0.0.1", .slow_ms = 3000, .behaviour = -1};

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &provider);
	signal(SIGPIPE, SIG_IGN);
	provider.base = event_base_new();
	struct evhttp *http = evhttp_new(provider.base);
	struct evhttp_bound_socket *bound =
		evhttp_bind_socket_with_handle(http, provider.address, (ev_uint16_t)provider.port);
	if (!bound) {
		fprintf(stderr, "postcode_provider: cannot listen on %s:%d: %s\n", provider.address, provider.port,
			strerror(errno));
		return 1;
	}
	evhttp_set_gencb(http, on_request, &provider);
	provider.port = listening_port(bound);
	struct event *term = evsignal_new(provider.base, SIGTERM, on_signal, provider.base);
	/* A socketpair, a pipe or a terminal; epoll cannot watch a file or /dev/null, and then there is only
	 * SIGTERM. */
	struct event *input = event_new(provider.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, provider.base);
	event_add(term, NULL);
	event_add(input, NULL);
	printf("port %d\n", provider.port);
	fflush(stdout);
	event_base_dispatch(provider.base);
	evhttp_free(http);
	event_free(input);
	event_free(term);
	event_base_free(provider.base);
	return 0;
}
