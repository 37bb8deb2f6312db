/* A replica of another version: registers as one, and answers a hello as a program of another cluster format does. Or
 * calls a replica's HELLO as a front-end of another format.
 *
 *     other_format PROGRAM newer | older | cut | deaf      deaf: does not know the procedure
 *     other_format PROGRAM hello FORMAT       prints status and text of the answer */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw_server.h"
#include "rpc/replica.h"

/* Nothing after the format is readable for this version: a few bytes, or none. */
static void put_hello(XDR *xdr, uint32_t format, bool cut)
{
	static char error[] = "upgrade whoever";
	jh_text text = {sizeof error - 1, error};

	raw_put(xdr, JH_HELLO_FORMAT);
	if (!xdr_jh_text(xdr, &text))
		raw_fail("no room");
	raw_put(xdr, format);
	if (format >= JH_CLUSTER_FORMAT)
		raw_put(xdr, format); /* the highest it speaks, beside the lowest */
	if (!cut)
		for (uint32_t i = 0; i < 3; i++)
			raw_put(xdr, 0xffffffffu);
}

static bool answer(int fd, const char *call, const char *way)
{
	static char reply[1024];
	XDR xdr;

	if (raw_word(call, 5) == HELLO && strcmp(way, "deaf") == 0)
		return raw_reject(fd, call, raw_rejection("proc_unavail"));
	raw_accept(&xdr, reply, sizeof reply, call);
	put_hello(&xdr, JH_CLUSTER_FORMAT + (strcmp(way, "older") == 0 ? -1u : 1u), strcmp(way, "cut") == 0);
	return raw_reply(fd, reply, &xdr);
}

static void serve(int fd, const char *way)
{
	static char call[1 << 16];

	while (raw_call(fd, call, sizeof call) > 0)
		if (!answer(fd, call, way))
			raw_fail("write");
}

/* The hello of another version: it begins with the lowest format that it speaks and, since the third, with the highest; the
 * rest must not be read. */
static bool_t put_words(XDR *xdr, uint32_t *format)
{
	uint32_t junk = 0xffffffffu;

	return xdr_uint32_t(xdr, format) && xdr_uint32_t(xdr, *format < 3 ? &junk : format) && xdr_uint32_t(xdr, &junk);
}

static int hello(rpcprog_t program, uint32_t format)
{
	CLIENT *client = clnt_create("127.0.0.1", program, JH_REPLICA_V1, "tcp");
	struct timeval timeout = {.tv_sec = 20};
	jh_hello_result result;

	memset(&result, 0, sizeof result);
	if (client == NULL)
		raw_fail("cannot connect");
	if (clnt_call(client, HELLO, (xdrproc_t)put_words, (caddr_t)&format, (xdrproc_t)xdr_jh_hello_result,
		      (caddr_t)&result, timeout) != RPC_SUCCESS) {
		clnt_perror(client, "other_format");
		raw_fail("no answer");
	}
	printf("%d %.*s\n", (int)result.status, (int)result.error.jh_text_len, result.error.jh_text_val);
	clnt_freeres(client, (xdrproc_t)xdr_jh_hello_result, (caddr_t)&result);
	clnt_destroy(client);
	return 0;
}

int main(int argc, char **argv)
{
	uint16_t port;

	if (argc == 4 && strcmp(argv[2], "hello") == 0)
		return hello((rpcprog_t)atol(argv[1]), (uint32_t)atol(argv[3]));
	if (argc != 3)
		return 2;
	raw_serve(raw_listen((rpcprog_t)atol(argv[1]), JH_REPLICA_V1, &port), serve, argv[2]);
}
