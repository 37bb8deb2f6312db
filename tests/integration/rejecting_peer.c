/* A front-end that rejects: listens on 127.0.0.1, says at which port, and answers every call of a client in one of the
 * ways of RFC 5531 section 9, in a way that is no RPC, or not at all. With a PROGRAM it registers there as its version 1.
 *
 *   rejecting_peer prog_unavail | prog_mismatch | proc_unavail | garbage_args | system_err | rpc_mismatch | auth_error |
 *                  no_rpc | silent | hang_up [PROGRAM] */
#include <arpa/inet.h>
#include <netconfig.h>
#include <rpc/rpc.h>
#include <rpc/rpcb_clnt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct way {
	const char *name;
	uint32_t words[6]; /* of the reply, behind xid and REPLY */
	unsigned int count; /* 0: no reply */
};

static const struct way ways[] = {
	{"prog_unavail", {MSG_ACCEPTED, AUTH_NONE, 0, PROG_UNAVAIL}, 4},
	{"prog_mismatch", {MSG_ACCEPTED, AUTH_NONE, 0, PROG_MISMATCH, 2, 3}, 6},
	{"proc_unavail", {MSG_ACCEPTED, AUTH_NONE, 0, PROC_UNAVAIL}, 4},
	{"garbage_args", {MSG_ACCEPTED, AUTH_NONE, 0, GARBAGE_ARGS}, 4},
	{"system_err", {MSG_ACCEPTED, AUTH_NONE, 0, SYSTEM_ERR}, 4},
	{"rpc_mismatch", {MSG_DENIED, RPC_MISMATCH, 3, 3}, 4},
	{"auth_error", {MSG_DENIED, AUTH_ERROR, AUTH_TOOWEAK}, 3},
	{"no_rpc", {0}, 0},
	{"silent", {0}, 0},
	{"hang_up", {0}, 0},
};

static int read_whole(int fd, void *bytes, size_t size)
{
	for (size_t got = 0; got < size;) {
		ssize_t count = read(fd, (char *)bytes + got, size - got);

		if (count <= 0)
			return 0;
		got += (size_t)count;
	}
	return 1;
}

static void serve(int fd, const struct way *way)
{
	static char call[1 << 20];
	uint32_t mark, reply[9];

	while (read_whole(fd, &mark, sizeof mark)) {
		uint32_t size = ntohl(mark) & 0x7fffffff;

		if (size > sizeof call || !read_whole(fd, call, size) || strcmp(way->name, "hang_up") == 0)
			return;
		if (strcmp(way->name, "no_rpc") == 0) {
			static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

			if (write(fd, http, sizeof http - 1) < 0)
				return;
			continue;
		}
		reply[0] = htonl(0x80000000u | (way->count + 2) * 4);
		memcpy(&reply[1], call, 4);
		reply[2] = htonl(REPLY);
		for (unsigned int i = 0; i < way->count; i++)
			reply[3 + i] = htonl(way->words[i]);
		if (way->count && write(fd, reply, (way->count + 3) * sizeof *reply) < 0)
			return;
	}
}

static int enter(rpcprog_t program, struct sockaddr_in *address)
{
	struct netconfig *tcp = getnetconfigent("tcp");
	struct netbuf netbuf = {.maxlen = sizeof *address, .len = sizeof *address, .buf = address};
	int entered;

	if (tcp == NULL)
		return 0;
	entered = rpcb_set(program, 1, tcp, &netbuf);
	freenetconfigent(tcp);
	return entered;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	const struct way *way = ways;

	while (argc >= 2 && way < ways + sizeof ways / sizeof *ways && strcmp(way->name, argv[1]) != 0)
		way++;
	if (argc < 2 || argc > 3 || way == ways + sizeof ways / sizeof *ways)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&address, &length))
		return 1;
	if (argc == 3 && !enter((rpcprog_t)strtoul(argv[2], NULL, 10), &address))
		return 1;
	printf("127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd, way);
		close(fd);
	}
	return 1;
}
