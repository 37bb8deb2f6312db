#include "server/postcode_fetch.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

struct postcode_fetcher {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	size_t body_max;
	const char *certificates; /* a directory of them by hash, or NULL: curl's default file */
	struct postcode_fetch *first;
};

struct postcode_fetch {
	struct postcode_fetcher *fetcher;
	CURL *easy;
	char *body;
	size_t body_size;
	size_t body_capacity;
	void (*done)(void *context, const struct postcode_fetched *fetched);
	void *context;
	struct postcode_fetch *next;
	struct postcode_fetch **previous; /* what points to this one */
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

static void finish(struct postcode_fetch *fetch, CURLcode result)
{
	struct postcode_fetched fetched = {.body = fetch->body, .body_size = fetch->body_size};
	void (*done)(void *, const struct postcode_fetched *) = fetch->done;
	void *context = fetch->context;
	char *body = fetch->body;

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

/* Returning less than was given ends the transfer as failed. */
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

/* Reading the whole bundle of certificates takes longer than a turn of the loop may (37 ms were measured); from a
 * directory by hash OpenSSL reads the one it needs (4 ms, handshake included). */
static const char *certificate_directory(void)
{
	const char *path = curl_version_info(CURLVERSION_NOW)->capath;
	struct stat found;

	return path && stat(path, &found) == 0 && S_ISDIR(found.st_mode) ? path : NULL;
}

struct postcode_fetcher *postcode_fetcher_new(struct event_base *base, size_t body_max)
{
	struct postcode_fetcher *fetcher = calloc(1, sizeof(*fetcher));

	must_allocate(fetcher);
	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	fetcher->base = base;
	fetcher->body_max = body_max;
	fetcher->certificates = certificate_directory();
	fetcher->multi = curl_multi_init();
	fetcher->timer = evtimer_new(base, on_timer, fetcher);
	must_allocate(fetcher->multi);
	must_allocate(fetcher->timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)LIMIT_POSTCODE_CONNECTIONS);
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

static void configure(struct postcode_fetch *fetch, const char *url)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "justhungry");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Without it, removing a handle joins its resolver thread: 9 s of standstill when the name server is silent. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (fetch->fetcher->certificates) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, fetch->fetcher->certificates);
	}
}

struct postcode_fetch *postcode_fetch_start(struct postcode_fetcher *fetcher, const char *url,
					    void (*done)(void *context, const struct postcode_fetched *fetched),
					    void *context)
{
	struct postcode_fetch *fetch = calloc(1, sizeof(*fetch));

	must_allocate(fetch);
	fetch->fetcher = fetcher;
	fetch->done = done;
	fetch->context = context;
	fetch->easy = curl_easy_init();
	must_allocate(fetch->easy);
	configure(fetch, url);
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
