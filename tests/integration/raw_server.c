#include "raw_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netconfig.h>
#include <rpc/rpcb_clnt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void raw_fail(const char *what)
{
	fprintf(stderr, "%s: FAILED: %s\n", program_invocation_short_name, what);
	exit(1);
}

static void enter(rpcprog_t program, rpcvers_t version, struct sockaddr_in *address)
{
	struct netbuf where = {.maxlen = sizeof *address, .len = sizeof *address, .buf = address};
	struct netconfig *tcp = getnetconfigent("tcp");

	if (!tcp)
		raw_fail("no netconfig entry of tcp");
	rpcb_unset(program, version, tcp);
	if (!rpcb_set(program, version, tcp, &where))
		raw_fail("cannot register");
	freenetconfigent(tcp);
}

int raw_listen(rpcprog_t program, rpcvers_t version, uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	signal(SIGPIPE, SIG_IGN);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&address, &length))
		raw_fail("cannot listen");
	if (program)
		enter(program, version, &address);
	*port = ntohs(address.sin_port);
	return listener;
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

uint32_t raw_call(int fd, char *call, uint32_t room)
{
	uint32_t mark, size;

	if (!read_whole(fd, &mark, sizeof mark))
		return 0;
	size = ntohl(mark) & 0x7fffffff;
	return size >= RAW_CALL_HEAD && size <= room && read_whole(fd, call, size) ? size : 0;
}

bool raw_reply(int fd, char *reply, XDR *xdr)
{
	uint32_t mark = htonl(0x80000000u | xdr_getpos(xdr));

	memcpy(reply, &mark, RAW_MARK);
	return write(fd, reply, xdr_getpos(xdr) + RAW_MARK) > 0;
}

void raw_put(XDR *xdr, uint32_t word)
{
	if (!xdr_uint32_t(xdr, &word))
		raw_fail("no room");
}
