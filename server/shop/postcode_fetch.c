#include "server/shop/postcode_fetch.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/shop/postcode_fetch_fault.h"
#include "server/shop/postcode_trust.h"

#define CONNECTION_IDLE_S 30L

struct postcode_fetcher {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	size_t body_max;
	struct postcode_trust trust;
	bool prefers_file; /* the directory did not verify a provider, the file did */
	struct postcode_fetch *first;
};

struct postcode_fetch {
	struct postcode_fetcher *fetcher;
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	bool proxied;
	bool by_file;       /* trusts the bundle of certificates, else the directory */
	bool trusted_other; /* both have been tried */
	bool opened;        /* has opened a connection of its own */
	bool asked;         /* the request was sent, on whichever connection */
	char *body;
	size_t body_size;
	size_t body_capacity;
	void (*done)(void *context, const struct postcode_fetched *fetched);
	void *context;
	struct postcode_fetch *next;
	struct postcode_fetch **previous; /* points to this one */
};

static void fetch_free(struct postcode_fetch *fetch)
{
	*fetch->previous = fetch->next;
	if (fetch->next)
		fetch->next->previous = fetch->previous;
	must(curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy) == CURLM_OK);
	curl_easy_cleanup(fetch->easy);
	free(fetch->body);
	free(fetch);
}

/* Reading the whole bundle would stall the loop too long (37 ms were measured, once a day: libcurl caches it while no
 * directory is set), and from a directory by hash OpenSSL reads only the one certificate it needs (4 ms, handshake
 * included). So the directory is tried first, alone; the two together are what curl, the command, trusts. */
static void trust(struct postcode_fetch *fetch)
{
	const struct postcode_trust *known = &fetch->fetcher->trust;
	const char *file = fetch->by_file ? known->file : NULL;
	const char *directory = !fetch->by_file && known->directory[0] ? known->directory : NULL;

	curl_easy_setopt(fetch->easy, CURLOPT_CAINFO, file);
	curl_easy_setopt(fetch->easy, CURLOPT_CAPATH, directory);
	curl_easy_setopt(fetch->easy, CURLOPT_PROXY_CAINFO, file);
	curl_easy_setopt(fetch->easy, CURLOPT_PROXY_CAPATH, directory);
}

/* One store did not verify the provider: the other one is tried, including what has been installed meanwhile. */
static bool trust_other(struct postcode_fetch *fetch)
{
	struct postcode_fetcher *fetcher = fetch->fetcher;
	bool nothing = !fetcher->trust.file[0] && !fetcher->trust.directory[0];

	if (fetch->trusted_other)
		return false;
	fetch->trusted_other = true;
	postcode_trust_find(&fetcher->trust);
	bool file = nothing ? !fetcher->trust.directory[0] : !fetch->by_file;
	if (!(file ? fetcher->trust.file : fetcher->trust.directory)[0])
		return false;
	fetch->by_file = file;
	must(curl_multi_remove_handle(fetcher->multi, fetch->easy) == CURLM_OK);
	fetch->opened = fetch->asked = false;
	fetch->body_size = 0;
	trust(fetch);
	must(curl_multi_add_handle(fetcher->multi, fetch->easy) == CURLM_OK);
	return true;
}

static void finish(struct postcode_fetch *fetch, CURLcode result)
{
	struct postcode_fetched fetched = {.body = fetch->body, .body_size = fetch->body_size,
					   .kept = postcode_fetch_is_on_kept(fetch)};
	char why[POSTCODE_WHY_BYTES];
	void (*done)(void *, const struct postcode_fetched *) = fetch->done;
	void *context = fetch->context;
	char *body = fetch->body;

	fetched.fault = postcode_fetch_fault(fetch->easy, result, fetch->error, fetch->proxied, why);
	if (fetched.fault == POSTCODE_FAULT_CERTIFICATE && trust_other(fetch))
		return;
	if (fetch->trusted_other && result == CURLE_OK)
		fetch->fetcher->prefers_file = fetch->by_file;
	fetched.why = why;
	if (result == CURLE_OK)
		curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &fetched.status);
	fetch->body = NULL;
	fetch_free(fetch);
	done(context, &fetched);
	free(body);
}

/* done may start and cancel others meanwhile: curl drops the message of a handle that is removed. */
static void finish_all(struct postcode_fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		struct postcode_fetch *fetch;
		CURLcode result = message->data.result;
		must(message->msg == CURLMSG_DONE);
		must(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch) == CURLE_OK);
		finish(fetch, result);
	}
}

static void act(struct postcode_fetcher *fetcher, curl_socket_t socket, int what)
{
	int running;

	must(curl_multi_socket_action(fetcher->multi, socket, what, &running) == CURLM_OK);
	finish_all(fetcher);
}

static void on_timer(evutil_socket_t nothing, short what, void *context)
{
	(void)nothing;
	(void)what;
	act(context, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(evutil_socket_t socket, short what, void *context)
{
	act(context, socket, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static int want_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct postcode_fetcher *fetcher = context;
	struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	(void)multi;
	if (timeout_ms < 0)
		event_del(fetcher->timer);
	else
		event_add(fetcher->timer, &timeout);
	return 0;
}

static int want_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context)
{
	struct postcode_fetcher *fetcher = context;
	struct event *event = socket_context;

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
		event = event_new(fetcher->base, socket, (short)(events | EV_PERSIST), on_socket, fetcher);
		must_allocate(event);
		event_add(event, NULL);
	}
	curl_multi_assign(fetcher->multi, socket, event);
	return 0;
}

/* Returning less than was given makes the transfer fail. */
static size_t keep_body(char *data, size_t one, size_t size, void *context)
{
	struct postcode_fetch *fetch = context;

	must(one == 1);
	if (size > fetch->fetcher->body_max - fetch->body_size)
		return 0;
	if (fetch->body_size + size > fetch->body_capacity) {
		fetch->body_capacity = (fetch->body_size + size) * 2;
		fetch->body = realloc(fetch->body, fetch->body_capacity);
		must_allocate(fetch->body);
	}
	memcpy(fetch->body + fetch->body_size, data, size);
	fetch->body_size += size;
	return size;
}

/* For a new connection only. */
static int note_opened(void *context, curl_socket_t socket, curlsocktype purpose)
{
	struct postcode_fetch *fetch = context;

	(void)socket;
	(void)purpose;
	fetch->opened = true;
	return CURL_SOCKOPT_OK;
}

static int note_asked(void *context, char *peer, char *local, int peer_port, int local_port)
{
	struct postcode_fetch *fetch = context;

	(void)peer;
	(void)local;
	(void)peer_port;
	(void)local_port;
	fetch->asked = true;
	return CURL_PREREQFUNC_OK;
}

struct postcode_fetcher *postcode_fetcher_new(struct event_base *base, size_t body_max)
{
	struct postcode_fetcher *fetcher = calloc(1, sizeof(*fetcher));

	must_allocate(fetcher);
	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	fetcher->base = base;
	fetcher->body_max = body_max;
	postcode_trust_find(&fetcher->trust);
	fetcher->multi = curl_multi_init();
	fetcher->timer = evtimer_new(base, on_timer, fetcher);
	must_allocate(fetcher->multi);
	must_allocate(fetcher->timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)LIMIT_POSTCODE_CONNECTIONS);
	/* Kept connections may all be dead, and then there is room for new ones beside them. */
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, LIMIT_POSTCODE_CONNECTIONS / 2L);
	return fetcher;
}

void postcode_fetcher_free(struct postcode_fetcher *fetcher)
{
	if (!fetcher)
		return;
	for (struct postcode_fetch *fetch = fetcher->first, *next; fetch; fetch = next) {
		next = fetch->next;
		fetch_free(fetch);
	}
	must(curl_multi_cleanup(fetcher->multi) == CURLM_OK);
	event_free(fetcher->timer);
	free(fetcher);
	curl_global_cleanup();
}

struct event_base *postcode_fetcher_base(const struct postcode_fetcher *fetcher)
{
	return fetcher->base;
}

/* Connections. Routers forget an idle one after a minute or more, servers close theirs sooner. With HTTP/1.1 a
 * connection carries one question, so giving up a question closes its connection; with HTTP/2 a dead one would be used
 * again and again. An empty proxy means none, and an empty list of exceptions keeps libcurl from reading the
 * environment. */
static void configure_connection(struct postcode_fetch *fetch, const char *proxy, bool fresh)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, proxy ? proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, note_opened);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, note_asked);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, fetch);
}

static void configure(struct postcode_fetch *fetch, const char *url)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)fetch->fetcher->body_max);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "justhungry");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Without it, removing a handle joins its resolver thread: the loop stalls for 9 s when the name server is
	 * silent. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	trust(fetch);
}

struct postcode_fetch *postcode_fetch_start(struct postcode_fetcher *fetcher, const char *url, const char *proxy,
					    bool fresh,
					    void (*done)(void *context, const struct postcode_fetched *fetched),
					    void *context)
{
	struct postcode_fetch *fetch = calloc(1, sizeof(*fetch));

	must_allocate(fetch);
	fetch->fetcher = fetcher;
	fetch->done = done;
	fetch->context = context;
	fetch->proxied = proxy != NULL;
	fetch->by_file = fetcher->trust.file[0] && (fetcher->prefers_file || !fetcher->trust.directory[0]);
	fetch->easy = curl_easy_init();
	must_allocate(fetch->easy);
	configure(fetch, url);
	configure_connection(fetch, proxy, fresh);
	fetch->next = fetcher->first;
	fetch->previous = &fetcher->first;
	if (fetch->next)
		fetch->next->previous = &fetch->next;
	fetcher->first = fetch;
	must(curl_multi_add_handle(fetcher->multi, fetch->easy) == CURLM_OK);
	return fetch;
}

void postcode_fetch_cancel(struct postcode_fetch *fetch)
{
	fetch_free(fetch);
}

bool postcode_fetch_is_on_kept(const struct postcode_fetch *fetch)
{
	return fetch->asked && !fetch->opened;
}

const char *postcode_fetch_stage(const struct postcode_fetch *fetch)
{
	curl_off_t connected_us = 0;

	if (fetch->asked)
		return "it was asked and does not answer";
	if (!fetch->opened)
		return "its name is not resolved, or no connection is free";
	curl_easy_getinfo(fetch->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
	return connected_us > 0 ? "there is a connection, but no TLS session or tunnel" : "there is no connection";
}
