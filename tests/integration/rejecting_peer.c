/* A front-end that rejects: listens on 127.0.0.1, prints its port, and answers every call of a client in one of the
 * ways of RFC 5531 section 9, with something that is not RPC, or not at all. With a PROGRAM it registers there as its
 * version 1.
 *
 *   rejecting_peer prog_unavail | prog_mismatch | proc_unavail | garbage_args | system_err | rpc_mismatch | auth_error |
 *                  no_rpc | silent | hang_up [PROGRAM] */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raw_server.h"

static void serve(int fd, const char *way)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	static char call[1 << 20];
	const struct raw_rejection *rejection = raw_rejection(way);

	while (raw_call(fd, call, sizeof call) > 0 && strcmp(way, "hang_up") != 0) {
		if (strcmp(way, "no_rpc") == 0 && write(fd, http, sizeof http - 1) < 0)
			return;
		if (rejection && !raw_reject(fd, call, rejection))
			return;
	}
}

static bool is_way(const char *way)
{
	return raw_rejection(way) || strcmp(way, "no_rpc") == 0 || strcmp(way, "silent") == 0 || strcmp(way, "hang_up") == 0;
}

int main(int argc, char **argv)
{
	int listener;
	uint16_t port;

	if (argc < 2 || argc > 3 || !is_way(argv[1]))
		return 2;
	listener = raw_listen(argc == 3 ? (rpcprog_t)strtoul(argv[2], NULL, 10) : 0, 1, &port);
	printf("127.0.0.1:%u\n", (unsigned int)port);
	fflush(stdout);
	raw_serve(listener, serve, argv[1]);
}
