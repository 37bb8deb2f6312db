#include "client/finder.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/locate.h"
#include "rpc/base/shortage.h"
#include "rpc/net/registry.h"

#define DUMP_MS 2000
#define PAUSE_MAX_MS 100

struct finder {
	const struct client_options *options;
	struct registry *registry; /* NULL: the address was given */
	struct event *timer;
	bool looking;
	uint32_t pause_ms;  /* before the next lookup */
	unsigned int looks; /* number of lookups, which selects one of several addresses */
	void (*found)(void *context, const char *address, const char *error);
	void *context;
};

static void on_dump(void *context, const char *host, const struct registry_entry *entries, int count, const char *error)
{
	struct finder *finder = context;
	char missing[640];

	(void)host;
	finder->looking = false;
	if (count > 0) {
		struct registry_entry *usable = calloc((size_t)count, sizeof *usable);

		must_allocate(usable);
		memcpy(usable, entries, (size_t)count * sizeof *usable);
		const char *address = locate_choose(finder->options, usable, count, finder->looks++, DUMP_MS, missing,
						    sizeof missing);

		finder->found(finder->context, address, address == NULL ? missing : NULL);
		free(usable);
		return;
	}
	if (count == 0) {
		locate_missing(finder->options, missing, sizeof missing);
	} else {
		snprintf(missing, sizeof missing, "%s", error);
		locate_blame(finder->options, missing, sizeof missing);
	}
	finder->found(finder->context, NULL, missing);
}

static void on_timer(evutil_socket_t none, short what, void *context)
{
	struct finder *finder = context;
	uint32_t program = finder->options->program_base;
	char address[64], error[640] = "";

	(void)none;
	(void)what;
	if (locate_direct(finder->options)) {
		bool found = locate_frontend(finder->options, finder->looks++, DUMP_MS, address, error, sizeof error);

		finder->looking = false;
		finder->found(finder->context, found ? address : NULL, error);
		return;
	}
	registry_dump_async(finder->registry, finder->options->frontend, program, program, DUMP_MS, on_dump, finder);
}

struct finder *finder_new(struct event_base *base, const struct client_options *options,
			  void (*found)(void *context, const char *address, const char *error), void *context)
{
	struct finder *finder = calloc(1, sizeof *finder);

	must_allocate(finder);
	finder->options = options;
	finder->found = found;
	finder->context = context;
	finder->timer = evtimer_new(base, on_timer, finder);
	must_allocate(finder->timer);
	if (!locate_direct(options))
		finder->registry = registry_new(base);
	return finder;
}

void finder_free(struct finder *finder)
{
	event_free(finder->timer);
	if (finder->registry)
		registry_free(finder->registry);
	free(finder);
}

void finder_look(struct finder *finder)
{
	struct timeval pause = {.tv_usec = (suseconds_t)finder->pause_ms * 1000};

	if (finder->looking)
		return;
	finder->looking = true;
	finder->pause_ms = finder->pause_ms ? finder->pause_ms * 2 : 5;
	if (finder->pause_ms > PAUSE_MAX_MS)
		finder->pause_ms = PAUSE_MAX_MS;
	event_add(finder->timer, &pause);
}

void finder_settled(struct finder *finder)
{
	finder->pause_ms = 0;
}
