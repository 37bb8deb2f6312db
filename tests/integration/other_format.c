/* A replica of another time: registers as one, and answers a hello as a program of another cluster format does. Or calls a replica's HELLO as a front-end of another format.
 *
 *     other_format PROGRAM newer | older | cut | deaf      deaf: does not know the procedure
 *     other_format PROGRAM hello FORMAT       prints the verdict and the text of the answer */
#include <arpa/inet.h>
#include <netconfig.h>
#include <rpc/rpc.h>
#include <rpc/rpcb_clnt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/replica.h"

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "other_format: FAILED: %s\n", what);
	exit(1);
}

static bool read_whole(int fd, void *bytes, size_t size)
{
	for (size_t got = 0; got < size;) {
		ssize_t count = read(fd, (char *)bytes + got, size - got);

		if (count <= 0)
			return false;
		got += (size_t)count;
	}
	return true;
}

static void put(XDR *xdr, uint32_t word)
{
	if (!xdr_uint32_t(xdr, &word))
		fail("no room");
}

/* What is behind the format is nothing that this time could read: a few bytes, or none. */
static void put_hello(XDR *xdr, uint32_t format, bool cut)
{
	static char error[] = "upgrade whoever";
	jh_text text = {sizeof error - 1, error};

	put(xdr, SUCCESS);
	put(xdr, JH_HELLO_FORMAT);
	if (!xdr_jh_text(xdr, &text))
		fail("no room");
	put(xdr, format);
	if (!cut)
		for (uint32_t i = 0; i < 3; i++)
			put(xdr, 0xffffffffu);
}

static void answer(int fd, uint32_t xid, uint32_t procedure, const char *way)
{
	static char reply[1024];
	uint32_t mark;
	XDR xdr;

	xdrmem_create(&xdr, reply + 4, sizeof reply - 4, XDR_ENCODE);
	put(&xdr, xid);
	put(&xdr, REPLY);
	put(&xdr, MSG_ACCEPTED);
	put(&xdr, AUTH_NONE);
	put(&xdr, 0);
	if (procedure == HELLO && strcmp(way, "deaf") == 0)
		put(&xdr, PROC_UNAVAIL);
	else
		put_hello(&xdr, JH_CLUSTER_FORMAT + (strcmp(way, "older") == 0 ? -1u : 1u), strcmp(way, "cut") == 0);
	mark = htonl(0x80000000u | xdr_getpos(&xdr));
	memcpy(reply, &mark, 4);
	if (write(fd, reply, xdr_getpos(&xdr) + 4) < 0)
		fail("write");
}

static void serve(int fd, const char *way)
{
	static char call[1 << 16];
	uint32_t mark, xid, procedure;

	while (read_whole(fd, &mark, sizeof mark)) {
		uint32_t size = ntohl(mark) & 0x7fffffff;

		if (size < 24 || size > sizeof call || !read_whole(fd, call, size))
			return;
		memcpy(&xid, call, sizeof xid);
		memcpy(&procedure, call + 20, sizeof procedure);
		answer(fd, ntohl(xid), ntohl(procedure), way);
	}
}

/* The hello of another time: its first word is the format, and what follows is not for this one to read. */
static bool_t put_words(XDR *xdr, uint32_t *format)
{
	uint32_t junk = 0xffffffffu;

	return xdr_uint32_t(xdr, format) && xdr_uint32_t(xdr, &junk) && xdr_uint32_t(xdr, &junk);
}

static int hello(rpcprog_t program, uint32_t format)
{
	CLIENT *client = clnt_create("127.0.0.1", program, JH_REPLICA_V1, "tcp");
	struct timeval timeout = {.tv_sec = 20};
	jh_hello_result result;

	memset(&result, 0, sizeof result);
	if (client == NULL)
		fail("cannot connect");
	if (clnt_call(client, HELLO, (xdrproc_t)put_words, (caddr_t)&format, (xdrproc_t)xdr_jh_hello_result,
		      (caddr_t)&result, timeout) != RPC_SUCCESS) {
		clnt_perror(client, "other_format");
		fail("no answer");
	}
	printf("%d %.*s\n", (int)result.status, (int)result.error.jh_text_len, result.error.jh_text_val);
	clnt_freeres(client, (xdrproc_t)xdr_jh_hello_result, (caddr_t)&result);
	clnt_destroy(client);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	struct netbuf where = {.maxlen = sizeof address, .len = sizeof address, .buf = &address};
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct netconfig *tcp;

	if (argc == 4 && strcmp(argv[2], "hello") == 0)
		return hello((rpcprog_t)atol(argv[1]), (uint32_t)atol(argv[3]));
	if (argc != 3)
		return 2;
	tcp = getnetconfigent("tcp");
	signal(SIGPIPE, SIG_IGN);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&address, &length))
		fail("cannot listen");
	rpcb_unset((rpcprog_t)atol(argv[1]), JH_REPLICA_V1, tcp);
	if (!rpcb_set((rpcprog_t)atol(argv[1]), JH_REPLICA_V1, tcp, &where))
		fail("cannot register");
	freenetconfigent(tcp);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd, argv[2]);
		close(fd);
	}
	return 1;
}
