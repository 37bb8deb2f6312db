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

uint32_t raw_word(const char *call, unsigned int word)
{
	uint32_t value;

	memcpy(&value, call + word * sizeof value, sizeof value);
	return ntohl(value);
}

static void begin(XDR *xdr, char *reply, uint32_t room, const char *call)
{
	xdrmem_create(xdr, reply + RAW_MARK, room - RAW_MARK, XDR_ENCODE);
	raw_put(xdr, raw_word(call, 0));
	raw_put(xdr, REPLY);
}

static void put_words(XDR *xdr, const uint32_t *words, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		raw_put(xdr, words[i]);
}

void raw_accept(XDR *xdr, char *reply, uint32_t room, const char *call)
{
	static const uint32_t accepted[] = {MSG_ACCEPTED, AUTH_NONE, 0, SUCCESS};

	begin(xdr, reply, room, call);
	put_words(xdr, accepted, sizeof accepted / sizeof *accepted);
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

static const struct raw_rejection rejections[] = {
	{"prog_unavail", "RPC_PROGUNAVAIL", {MSG_ACCEPTED, AUTH_NONE, 0, PROG_UNAVAIL}, 4},
	{"prog_mismatch", "RPC_PROGVERSMISMATCH", {MSG_ACCEPTED, AUTH_NONE, 0, PROG_MISMATCH, 3, 4}, 6},
	{"proc_unavail", "RPC_PROCUNAVAIL", {MSG_ACCEPTED, AUTH_NONE, 0, PROC_UNAVAIL}, 4},
	{"garbage_args", "RPC_CANTDECODEARGS", {MSG_ACCEPTED, AUTH_NONE, 0, GARBAGE_ARGS}, 4},
	{"system_err", "RPC_SYSTEMERROR", {MSG_ACCEPTED, AUTH_NONE, 0, SYSTEM_ERR}, 4},
	{"rpc_mismatch", "RPC_VERSMISMATCH", {MSG_DENIED, RPC_MISMATCH, 3, 3}, 4},
	{"auth_error", "RPC_AUTHERROR", {MSG_DENIED, AUTH_ERROR, AUTH_TOOWEAK}, 3},
};

const struct raw_rejection *raw_rejection(const char *name)
{
	for (size_t i = 0; i < sizeof rejections / sizeof *rejections; i++)
		if (strcmp(rejections[i].name, name) == 0 || strcmp(rejections[i].heard, name) == 0)
			return &rejections[i];
	return NULL;
}

bool raw_reject(int fd, const char *call, const struct raw_rejection *rejection)
{
	char reply[64];
	XDR xdr;

	begin(&xdr, reply, sizeof reply, call);
	put_words(&xdr, rejection->words, rejection->count);
	return raw_reply(fd, reply, &xdr);
}

_Noreturn void raw_serve(int listener, void (*serve)(int fd, const char *way), const char *way)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd, way);
		close(fd);
	}
	raw_fail("accept");
}
