#include "rpc/net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/thread.h"
#include "rpc/net/blocking_call.h"

/* Shared by the caller and the resolver's thread; the last of the two frees it. */
struct question {
	pthread_mutex_t lock;
	int answered_fd; /* readable when `done` */
	int users;
	bool done;
	int result;
	struct addrinfo *found;
	char host[256];
};

static void let_go(struct question *question)
{
	int users = --question->users;

	pthread_mutex_unlock(&question->lock);
	if (users > 0)
		return;
	if (question->found != NULL)
		freeaddrinfo(question->found);
	pthread_mutex_destroy(&question->lock);
	close(question->answered_fd);
	free(question);
}

static void *ask(void *context)
{
	struct question *question = context;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int result = getaddrinfo(question->host, NULL, &hints, &found);

	pthread_mutex_lock(&question->lock);
	question->result = result;
	question->found = result == 0 ? found : NULL;
	question->done = true;
	eventfd_write(question->answered_fd, 1);
	let_go(question);
	return NULL;
}

static int copy_family(const struct addrinfo *found, int family, uint16_t port, struct rpc_address *addresses, int max)
{
	int count = 0;

	for (; found != NULL && count < max; found = found->ai_next) {
		if (found->ai_family != family)
			continue;
		memset(&addresses[count], 0, sizeof addresses[count]);
		memcpy(&addresses[count].storage, found->ai_addr, found->ai_addrlen);
		addresses[count].length = found->ai_addrlen;
		rpc_address_set_port(&addresses[count], port);
		count++;
	}
	return count;
}

static int ask_resolver(const char *host, uint16_t port, uint64_t deadline_us, int cancel_fd,
			struct rpc_address *addresses, int max, char *error, size_t error_size)
{
	struct question *question = calloc(1, sizeof *question);
	int count = 0;

	must_allocate(question);
	snprintf(question->host, sizeof question->host, "%s", host);
	pthread_mutex_init(&question->lock, NULL);
	question->answered_fd = eventfd(0, EFD_CLOEXEC);
	question->users = 2;
	if (question->answered_fd < 0 || !thread_start_detached(ask, question)) {
		char why[SHORTAGE_TEXT];

		snprintf(error, error_size, "cannot look it up: %s", shortage_text(errno, why, sizeof why));
		question->users--;
		pthread_mutex_lock(&question->lock);
		let_go(question);
		return 0;
	}

	bool given_up = !blocking_wait(question->answered_fd, POLLIN, deadline_us, cancel_fd) && errno == ECANCELED;

	pthread_mutex_lock(&question->lock);
	if (!question->done) {
		snprintf(error, error_size, "%s", given_up ? strerror(ECANCELED) : "the name server does not answer");
	} else if (question->result != 0) {
		snprintf(error, error_size, "%s", gai_strerror(question->result));
	} else {
		count = copy_family(question->found, AF_INET, port, addresses, max);
		count += copy_family(question->found, AF_INET6, port, addresses + count, max - count);
		if (count == 0)
			snprintf(error, error_size, "the host has no address");
	}
	let_go(question);
	return count;
}

int resolve_host(const char *host, uint16_t port, uint64_t deadline_us, int cancel_fd,
		 struct rpc_address *addresses, int addresses_max, char *error, size_t error_size)
{
	must(addresses_max > 0);
	if (strlen(host) > 255) {
		snprintf(error, error_size, "the name is too long");
		return 0;
	}
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (rpc_address_parse(host, &addresses[0])) {
		rpc_address_set_port(&addresses[0], port);
		return 1;
	}
	return ask_resolver(host, port, deadline_us, cancel_fd, addresses, addresses_max, error, error_size);
}
