/* A front-end that answers as it is told: listens on 127.0.0.1, registers with rpcbind, says at which address, and ends the
 * n-th call of a request as the n-th line of the order's second item says, and all further ones as the last. It fails loudly
 * when a repeat is not the same, byte for byte.
 *
 *     scripted_frontend PROGRAM
 *
 * A line: an outcome and a reason of shop.x by their names, or what a stock client is to hear, by the name of its enum
 * clnt_stat. */
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

#include "rpc/frontend.h"

#define CALL_HEAD 24u /* up to the credentials */
#define REQUESTS 1024

struct way {
	const char *name;
	uint32_t words[5]; /* of the reply, behind xid and REPLY */
	unsigned int count; /* 0: no reply */
};

static const struct way ways[] = {
	{"RPC_PROGUNAVAIL", {MSG_ACCEPTED, AUTH_NONE, 0, PROG_UNAVAIL}, 4},
	{"RPC_PROCUNAVAIL", {MSG_ACCEPTED, AUTH_NONE, 0, PROC_UNAVAIL}, 4},
	{"RPC_CANTDECODEARGS", {MSG_ACCEPTED, AUTH_NONE, 0, GARBAGE_ARGS}, 4},
	{"RPC_SYSTEMERROR", {MSG_ACCEPTED, AUTH_NONE, 0, SYSTEM_ERR}, 4},
	{"RPC_CANTDECODERES", {MSG_ACCEPTED, AUTH_NONE, 0, SUCCESS, 0}, 5}, /* JH_DONE, and nothing behind it */
	{"RPC_VERSMISMATCH", {MSG_DENIED, RPC_MISMATCH, 3, 3}, 4},
	{"RPC_AUTHERROR", {MSG_DENIED, AUTH_ERROR, AUTH_TOOWEAK}, 3},
	{"RPC_TIMEDOUT", {0}, 0},
	{"RPC_CANTRECV", {0}, 0}, /* hangs up */
};

static const char *const outcomes[] = {"JH_DONE", "JH_REFUSED", "JH_UNKNOWN", "JH_UNAVAILABLE", "JH_MOVED"};
static const char *const reasons[] = {"JH_REASON_NONE",	      "JH_REASON_BAD_REQUEST", "JH_REASON_INVALID_POSTCODE",
				      "JH_REASON_POSTCODE_UNCHECKED", "JH_REASON_CONFLICT", "JH_REASON_SUPERSEDED",
				      "JH_REASON_FULL", "JH_REASON_DISK_FULL", "JH_REASON_TOO_FEW_MEMBERS",
				      "JH_REASON_NO_PRIMARY", "JH_REASON_BUSY"};

/* What was asked, without how long the client waits. */
struct asked {
	unsigned int calls, size;
	char bytes[2048];
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "scripted_frontend: FAILED: %s\n", what);
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

/* How often this request has been asked before; it must be the same. */
static unsigned int count_call(jh_place_args *args)
{
	static struct asked known[REQUESTS];
	static unsigned int known_count;
	struct asked now = {.calls = 0};
	XDR xdr;

	args->timeout_ms = 0;
	xdrmem_create(&xdr, now.bytes, sizeof now.bytes, XDR_ENCODE);
	if (!xdr_jh_place_args(&xdr, args))
		fail("the request is too long");
	now.size = xdr_getpos(&xdr);
	for (unsigned int i = 0; i < known_count; i++) {
		/* Client id and request number. */
		if (memcmp(known[i].bytes, now.bytes, 24) != 0)
			continue;
		if (known[i].size != now.size || memcmp(known[i].bytes, now.bytes, now.size) != 0)
			fail("a repeat differs from what was asked first");
		return ++known[i].calls;
	}
	if (known_count == REQUESTS)
		fail("too many requests");
	known[known_count++] = now;
	return 0;
}

/* The line of the script for that call. */
static void find_line(const jh_place_args *args, unsigned int calls, char line[static 256])
{
	const jh_order *order = &args->operation.jh_operation_u.order;
	const jh_item *script;
	size_t at = 0, size;

	if (order->items.items_len < 2)
		fail("the order's second item is no script");
	script = &order->items.items_val[1];
	for (;;) {
		const char *from = script->jh_item_val + at, *end = memchr(from, ';', script->jh_item_len - at);

		size = end ? (size_t)(end - from) : script->jh_item_len - at;
		if (!end || calls == 0) {
			snprintf(line, 256, "%.*s", (int)size, from);
			return;
		}
		at += size + 1;
		calls--;
	}
}

static unsigned int index_of(const char *name, const char *const *names, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	fail(name);
}

static void put_result(XDR *xdr, const char *line)
{
	static char error[] = "as the script says", postcode[] = "DH1 3LE";
	char outcome[64] = "", reason[64] = "JH_REASON_NONE";
	jh_write_result result = {.outcome = JH_DONE};

	sscanf(line, "%63s %63s", outcome, reason);
	result.outcome = (jh_outcome)index_of(outcome, outcomes, sizeof outcomes / sizeof *outcomes);
	if (result.outcome == JH_DONE) {
		result.jh_write_result_u.answer.kind = JH_OPERATION_ORDER;
		result.jh_write_result_u.answer.jh_operation_answer_u.order =
			(jh_order_placed){.postcode = {sizeof postcode - 1, postcode}, .number = 1, .op = 2};
	} else {
		result.jh_write_result_u.problem.reason =
			(jh_reason)index_of(reason, reasons, sizeof reasons / sizeof *reasons);
		result.jh_write_result_u.problem.error = (jh_text){sizeof error - 1, error};
	}
	if (!xdr_jh_write_result(xdr, &result))
		fail("the answer does not encode");
}

/* False: the connection is to end. */
static bool answer(int fd, uint32_t xid, const char *line)
{
	static char reply[1024];
	uint32_t mark, word;
	const struct way *way = ways;
	XDR xdr;

	while (way < ways + sizeof ways / sizeof *ways && strcmp(way->name, line) != 0)
		way++;
	xdrmem_create(&xdr, reply + 4, sizeof reply - 4, XDR_ENCODE);
	word = REPLY;
	if (!xdr_uint32_t(&xdr, &xid) || !xdr_uint32_t(&xdr, &word))
		fail("no room");
	if (way < ways + sizeof ways / sizeof *ways) {
		if (way->count == 0)
			return strcmp(line, "RPC_TIMEDOUT") == 0;
		for (unsigned int i = 0; i < way->count; i++)
			if ((word = way->words[i]), !xdr_uint32_t(&xdr, &word))
				fail("no room");
	} else if (strcmp(line, "RPC_PROGVERSMISMATCH") == 0) {
		for (unsigned int i = 0; i < 6; i++)
			if ((word = (uint32_t[]){MSG_ACCEPTED, AUTH_NONE, 0, PROG_MISMATCH, 2, 3}[i]), !xdr_uint32_t(&xdr, &word))
				fail("no room");
	} else {
		for (unsigned int i = 0; i < 4; i++)
			if ((word = (uint32_t[]){MSG_ACCEPTED, AUTH_NONE, 0, SUCCESS}[i]), !xdr_uint32_t(&xdr, &word))
				fail("no room");
		put_result(&xdr, line);
	}
	mark = htonl(0x80000000u | xdr_getpos(&xdr));
	memcpy(reply, &mark, 4);
	return write(fd, reply, xdr_getpos(&xdr) + 4) > 0;
}

static void serve(int fd)
{
	static char call[1 << 16];
	uint32_t mark, words[6], length;

	while (read_whole(fd, &mark, sizeof mark)) {
		uint32_t size = ntohl(mark) & 0x7fffffff, at = CALL_HEAD;
		jh_place_args args = {.request = 0};
		char line[256] = "";
		XDR xdr;

		if (size < CALL_HEAD + 16 || size > sizeof call || !read_whole(fd, call, size))
			return;
		memcpy(words, call, sizeof words);
		for (int i = 0; i < 2; i++) { /* credential and verifier */
			memcpy(&length, call + at + 4, 4);
			at += 8 + ntohl(length);
		}
		if (ntohl(words[5]) == PLACE_ORDER) {
			xdrmem_create(&xdr, call + at, size - at, XDR_DECODE);
			if (!xdr_jh_place_args(&xdr, &args))
				fail("the call does not decode");
			find_line(&args, count_call(&args), line);
			xdr_free((xdrproc_t)xdr_jh_place_args, (char *)&args);
		} else {
			snprintf(line, sizeof line, "RPC_PROCUNAVAIL");
		}
		if (!answer(fd, ntohl(words[0]), line))
			return;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	struct netbuf where = {.maxlen = sizeof address, .len = sizeof address, .buf = &address};
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct netconfig *tcp = getnetconfigent("tcp");

	if (argc != 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&address, &length))
		fail("cannot listen");
	rpcb_unset((rpcprog_t)atol(argv[1]), 1, tcp);
	if (!rpcb_set((rpcprog_t)atol(argv[1]), 1, tcp, &where))
		fail("cannot register");
	freenetconfigent(tcp);
	printf("127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve(fd);
		close(fd);
	}
	return 1;
}
