#include "rpc/program/signals.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/log.h"
#include "rpc/base/shortage.h"

#define WATCHED_MAX 80

struct signals {
	const char *component;
	void (*stop)(void *context, int signal);
	void *context;
	struct event *events[WATCHED_MAX];
	int count;
};

/* From `number` on, the next watched signal; 0 when there is none. */
static int watched_from(int number)
{
	static const int watched[] = {SIGHUP,  SIGINT,	SIGUSR1,   SIGUSR2, SIGALRM, SIGTERM,
				      SIGSTKFLT, SIGXCPU, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR};

	for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++)
		if (watched[i] >= number)
			return watched[i];
	if (number < SIGRTMIN)
		number = SIGRTMIN;
	return number < NSIG ? number : 0; /* libevent handles those below NSIG */
}

static void mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (int number = watched_from(1); number != 0; number = watched_from(number + 1))
		sigaddset(&set, number);
	pthread_sigmask(how, &set, NULL);
}

void signals_hold(void)
{
	mask(SIG_BLOCK);
}

static void came(evutil_socket_t number, short what, void *context)
{
	struct signals *signals = context;

	(void)what;
	switch (number) {
	case SIGTERM:
	case SIGINT:
		log_info(signals->component, "asked to stop signal=%d", (int)number);
		signals->stop(signals->context, (int)number);
		return;
	case SIGXCPU:
		log_error(signals->component, "stopping: the processor time that `ulimit -t` allows is used up: raise it (LimitCPU=)");
		signals->stop(signals->context, (int)number);
		return;
	case SIGHUP:
		log_warn(signals->component, "SIGHUP is ignored: it is reserved for reading the options again, which is not done yet");
		return;
	default:
		log_warn(signals->component, "signal %d (%s) means nothing here and is ignored: SIGTERM stops this process",
			 (int)number, strsignal((int)number));
	}
}

struct signals *signals_watch(struct event_base *base, const char *component, void (*stop)(void *context, int signal),
			      void *context)
{
	struct signals *signals = calloc(1, sizeof *signals);

	must_allocate(signals);
	signals->component = component;
	signals->stop = stop;
	signals->context = context;
	for (int number = watched_from(1); number != 0; number = watched_from(number + 1)) {
		struct event *event = evsignal_new(base, number, came, signals);

		must_allocate(event);
		if (event_add(event, NULL) != 0)
			shortage(component, "watch signals: sigaction");
		signals->events[signals->count++] = event;
	}
	mask(SIG_UNBLOCK);
	return signals;
}

void signals_free(struct signals *signals)
{
	if (signals == NULL)
		return;
	mask(SIG_BLOCK);
	for (int i = 0; i < signals->count; i++)
		event_free(signals->events[i]);
	free(signals);
}
