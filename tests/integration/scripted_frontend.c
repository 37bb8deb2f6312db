/* A scripted front-end: listens on 127.0.0.1, registers with rpcbind, prints its address, and ends the n-th call of a
 * request as the n-th line of the order's second item says, and all further ones as the last. It fails with a message
 * when a repeat is not the same, byte for byte. A VOID of a request's number is one of its calls, whose line must begin with
 * "VOID "; and no other call's may, but for the last line.
 *
 *     scripted_frontend PROGRAM
 *
 * Lines are separated by semicolons. A line is an outcome and a reason of shop.x by their names, or the name of the
 * enum clnt_stat that a stock client should get. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw_server.h"
#include "rpc/frontend.h"

#define REQUESTS 1024

static const char *const outcomes[] = {"JH_DONE", "JH_REFUSED", "JH_UNKNOWN", "JH_UNAVAILABLE", "JH_MOVED",
				       "JH_KEY_REUSED"};
static const char *const reasons[] = {"JH_REASON_NONE",	      "JH_REASON_BAD_REQUEST", "JH_REASON_INVALID_POSTCODE",
				      "JH_REASON_POSTCODE_UNCHECKED", "JH_REASON_KEY_REUSED", "JH_REASON_VOID",
				      "JH_REASON_FULL", "JH_REASON_DISK_FULL", "JH_REASON_TOO_FEW_MEMBERS",
				      "JH_REASON_NO_PRIMARY", "JH_REASON_BUSY",	 "JH_REASON_DONE_BEFORE",
				      "JH_REASON_FORMAT"};

/* The request without the client's waiting time, and its script. */
struct asked {
	unsigned int calls, size;
	char bytes[2048], script[256];
};

/* The order's second item. */
static void take_script(const jh_place_args *args, struct asked *asked)
{
	const jh_order *order = &args->operation.jh_operation_u.order;
	const jh_item *script;

	if (args->operation.kind != JH_OPERATION_ORDER)
		raw_fail("a VOID before its order");
	if (order->items.items_len < 2)
		raw_fail("the order's second item is no script");
	script = &order->items.items_val[1];
	snprintf(asked->script, sizeof asked->script, "%.*s", (int)script->jh_item_len, script->jh_item_val);
}

/* What is known of the request; a repeat must be the same, unless it is a VOID. */
static struct asked *find_asked(jh_place_args *args)
{
	static struct asked known[REQUESTS];
	static unsigned int known_count;
	struct asked now = {.calls = 0};
	bool is_void = args->operation.kind == JH_OPERATION_VOID;
	XDR xdr;

	args->timeout_ms = 0;
	xdrmem_create(&xdr, now.bytes, sizeof now.bytes, XDR_ENCODE);
	if (!xdr_jh_place_args(&xdr, args))
		raw_fail("the request is too long");
	now.size = xdr_getpos(&xdr);
	for (unsigned int i = 0; i < known_count; i++) {
		/* Client id and request number. */
		if (memcmp(known[i].bytes, now.bytes, 24) != 0)
			continue;
		if (!is_void && (known[i].size != now.size || memcmp(known[i].bytes, now.bytes, now.size) != 0))
			raw_fail("a repeat differs from what was asked first");
		return &known[i];
	}
	if (known_count == REQUESTS)
		raw_fail("too many requests");
	take_script(args, &now);
	known[known_count] = now;
	return &known[known_count++];
}

/* The line of the script for the next call. */
static void next_line(struct asked *asked, bool is_void, char line[static 256])
{
	static const char mark[] = "VOID ";
	const char *from = asked->script, *end = strchr(from, ';');
	bool marked;

	for (unsigned int i = 0; i < asked->calls && end != NULL; i++) {
		from = end + 1;
		end = strchr(from, ';');
	}
	marked = strncmp(from, mark, strlen(mark)) == 0;
	if (end != NULL && marked != is_void)
		raw_fail(is_void ? "a VOID where the script has none" : "the script has a VOID, and the client sends none");
	if (marked)
		from += strlen(mark);
	snprintf(line, 256, "%.*s", (int)(end != NULL ? (size_t)(end - from) : strlen(from)), from);
	asked->calls++;
}

static unsigned int index_of(const char *name, const char *const *names, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	raw_fail(name);
}

static void put_result(XDR *xdr, const char *line, bool is_void)
{
	static char error[] = "as the script says", postcode[] = "DH1 3LE";
	char outcome[64] = "", reason[64] = "JH_REASON_NONE";
	jh_write_result result = {.outcome = JH_DONE};

	sscanf(line, "%63s %63s", outcome, reason);
	result.outcome = (jh_outcome)index_of(outcome, outcomes, sizeof outcomes / sizeof *outcomes);
	if (result.outcome == JH_DONE && is_void) {
		result.jh_write_result_u.done.answer.kind = JH_OPERATION_VOID;
	} else if (result.outcome == JH_DONE) {
		result.jh_write_result_u.done.answer.kind = JH_OPERATION_ORDER;
		result.jh_write_result_u.done.answer.jh_operation_answer_u.order =
			(jh_order_placed){.postcode = {sizeof postcode - 1, postcode}, .number = 1, .op = 2};
	} else {
		result.jh_write_result_u.problem.basis.final = strcmp(reason, "final") == 0;
		if (!result.jh_write_result_u.problem.basis.final)
			result.jh_write_result_u.problem.reason =
				(jh_reason)index_of(reason, reasons, sizeof reasons / sizeof *reasons);
		result.jh_write_result_u.problem.error = (jh_text){sizeof error - 1, error};
	}
	if (!xdr_jh_write_result(xdr, &result))
		raw_fail("the answer does not encode");
}

/* False: the connection must be closed. */
static bool answer(int fd, const char *call, const char *line, bool is_void)
{
	static char reply[1024];
	const struct raw_rejection *rejection = raw_rejection(line);
	XDR xdr;

	if (rejection)
		return raw_reject(fd, call, rejection);
	if (strcmp(line, "RPC_TIMEDOUT") == 0)
		return true;
	if (strcmp(line, "RPC_CANTRECV") == 0)
		return false;
	raw_accept(&xdr, reply, sizeof reply, call);
	if (strcmp(line, "RPC_CANTDECODERES") == 0)
		raw_put(&xdr, JH_DONE); /* and nothing behind it */
	else
		put_result(&xdr, line, is_void);
	return raw_reply(fd, reply, &xdr);
}

static void serve(int fd, const char *unused)
{
	static char call[1 << 16];
	uint32_t size;

	(void)unused;
	while ((size = raw_call(fd, call, sizeof call)) > 0) {
		uint32_t at = RAW_CALL_HEAD;
		jh_place_args args = {.request = 0};
		char line[256] = "";
		bool is_void = false;
		XDR xdr;

		for (int i = 0; i < 2; i++) { /* credential and verifier */
			uint32_t length;

			if (size - at < 8)
				return;
			length = raw_word(call + at, 1);
			at += 8;
			if (length > size - at)
				return;
			at += length;
		}
		if (raw_word(call, 5) == PLACE_ORDER) {
			xdrmem_create(&xdr, call + at, size - at, XDR_DECODE);
			if (!xdr_jh_place_args(&xdr, &args))
				raw_fail("the call does not decode");
			is_void = args.operation.kind == JH_OPERATION_VOID;
			next_line(find_asked(&args), is_void, line);
			xdr_free((xdrproc_t)xdr_jh_place_args, (char *)&args);
		} else {
			snprintf(line, sizeof line, "RPC_PROCUNAVAIL");
		}
		if (!answer(fd, call, line, is_void))
			return;
	}
}

int main(int argc, char **argv)
{
	int listener;
	uint16_t port;

	if (argc != 2)
		return 2;
	listener = raw_listen((rpcprog_t)atol(argv[1]), JH_FRONTEND_V2, &port);
	printf("127.0.0.1:%u\n", (unsigned int)port);
	fflush(stdout);
	raw_serve(listener, serve, NULL);
}
