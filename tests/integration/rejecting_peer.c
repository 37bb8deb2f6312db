/* A front-end that rejects: listens on 127.0.0.1, says at which port, and answers every call of a client in one of the
 * ways of RFC 5531 section 9, in a way that is no RPC, or not at all. With a PROGRAM it registers there as its version 1.
 *
 *   rejecting_peer prog_unavail | prog_mismatch | proc_unavail | garbage_args | system_err | rpc_mismatch | auth_error |
 *                  no_rpc | silent | hang_up [PROGRAM] */
#include <arpa/inet.h>
#include <rpc/rpc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raw_server.h"

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

static void serve(int fd, const struct way *way)
{
	static char call[1 << 20];
	uint32_t reply[9];

	while (raw_call(fd, call, sizeof call) > 0 && strcmp(way->name, "hang_up") != 0) {
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

int main(int argc, char **argv)
{
	int listener, fd;
	uint16_t port;
	const struct way *way = ways;

	while (argc >= 2 && way < ways + sizeof ways / sizeof *ways && strcmp(way->name, argv[1]) != 0)
		way++;
	if (argc < 2 || argc > 3 || way == ways + sizeof ways / sizeof *ways)
		return 2;
	listener = raw_listen(argc == 3 ? (rpcprog_t)strtoul(argv[2], NULL, 10) : 0, 1, &port);
	printf("127.0.0.1:%u\n", (unsigned int)port);
	fflush(stdout);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd, way);
		close(fd);
	}
	return 1;
}
