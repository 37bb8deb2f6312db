/* How many calls a second the RPC runtime carries on loopback: a server process that answers late and in the other
 * order, and a closed-loop client process with `depth` calls in flight on each of `connections`.
 *
 *     rpc_bench [CONNECTIONS [DEPTH [SECONDS]]]      64 1 3 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/net/channel.h"
#include "rpc/net/server.h"

#define PROGRAM 0x20001235u
#define HELD 65536

/* --- the server: calls are taken, and answered by an event of their own, as after a disk write -------------------- */

struct late {
	struct event done;
	struct rpc_call *held[HELD];
	u_int values[HELD];
	size_t held_count;
};

static void dispatch(struct svc_req *request, SVCXPRT *transport)
{
	struct late *late = rpc_call_context(request);
	u_int value;

	if (!svc_getargs(transport, (xdrproc_t)xdr_u_int, &value)) {
		svcerr_decode(transport);
		return;
	}
	must(late->held_count < HELD);
	late->values[late->held_count] = value + 1;
	late->held[late->held_count++] = rpc_call_take(request);
	svc_freeargs(transport, (xdrproc_t)xdr_u_int, &value);
}

static void turn_end(void *context)
{
	struct late *late = context;

	event_active(&late->done, EV_READ, 0);
}

static void answer(evutil_socket_t fd, short what, void *context)
{
	struct late *late = context;

	(void)fd;
	(void)what;
	while (late->held_count > 0) {
		late->held_count--;
		rpc_call_reply(late->held[late->held_count], (xdrproc_t)xdr_u_int, &late->values[late->held_count]);
	}
}

static void serve(int address_pipe)
{
	static struct late late;
	struct event_base *base = event_base_new();
	struct rpc_server_limits limits = rpc_server_limits_default();
	struct rpc_server *server = rpc_server_new(base, &limits);
	char address[64];
	char error[256] = "";

	rpc_server_register(server, PROGRAM, 1, dispatch, &late);
	rpc_server_on_turn_end(server, turn_end, &late);
	event_assign(&late.done, base, -1, 0, answer, &late);
	must(rpc_server_listen(server, "127.0.0.1", address, sizeof address, error, sizeof error));
	must(write(address_pipe, address, sizeof address) == sizeof address);
	event_base_dispatch(base);
}

/* --- the client --------------------------------------------------------------------------------------------------- */

struct loop {
	struct rpc_channel *channel;
	u_int value;
};

static unsigned long answers;

static void call(struct loop *loop);

static void answered(void *context, const struct rpc_reply *reply)
{
	struct loop *loop = context;
	u_int value = 0;

	must(rpc_reply_decode(reply, (xdrproc_t)xdr_u_int, &value));
	must(value == loop->value + 1);
	answers++;
	call(loop);
}

static void call(struct loop *loop)
{
	CLIENT *client = rpc_channel_call(loop->channel, 10000, answered, loop);

	loop->value = (u_int)answers;
	clnt_call(client, 1, (xdrproc_t)xdr_u_int, (caddr_t)&loop->value, (xdrproc_t)xdr_u_int, NULL,
		  (struct timeval){0});
}

static void closed(void *context, enum rpc_end end, const char *reason)
{
	(void)end;
	(void)context;
	fprintf(stderr, "rpc_bench: %s\n", reason);
	exit(1);
}

static double cpu_seconds(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	static const struct rpc_channel_events events = {.closed = closed};
	size_t connections = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	size_t depth = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	long seconds = argc > 3 ? strtol(argv[3], NULL, 10) : 3;
	char address[64];
	int ends[2];

	must(pipe(ends) == 0);

	pid_t server = fork();

	must(server >= 0);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* a client that fails leaves no server behind */
		serve(ends[1]);
	}
	must(read(ends[0], address, sizeof address) == sizeof address);

	struct event_base *base = event_base_new();
	struct loop *loops = calloc(connections * depth, sizeof *loops);

	must(loops != NULL);
	for (size_t i = 0; i < connections; i++) {
		struct rpc_channel *channel = rpc_channel_open(base, address, PROGRAM, 1, &events, NULL);

		for (size_t j = 0; j < depth; j++) {
			loops[i * depth + j].channel = channel;
			call(&loops[i * depth + j]);
		}
	}

	uint64_t start_us = rpc_clock_us();

	event_base_loopexit(base, &(struct timeval){.tv_sec = seconds});
	event_base_dispatch(base);

	double elapsed_s = (double)(rpc_clock_us() - start_us) / 1e6;

	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	printf("%zu connections, depth %zu: %.0f calls/s, CPU per call: server %.2f us, client %.2f us\n", connections,
	       depth, (double)answers / elapsed_s, cpu_seconds(RUSAGE_CHILDREN) * 1e6 / (double)answers,
	       cpu_seconds(RUSAGE_SELF) * 1e6 / (double)answers);
	return 0;
}
