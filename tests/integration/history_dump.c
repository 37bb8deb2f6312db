/* Reads postcodes from standard input, one a line, and prints every order to them, one a line, as bench --log does:
 *
 *     CLIENT REQUEST POSTCODE OP NUMBER
 *
 * CLIENT is what a history shows of a client id (client_aliases.c makes it of the id).
 *
 * The oracle of the integration tests: a plain libtirpc client that shares nothing with our own transport, so that a
 * fault there cannot hide one here. Orders loaded at the start have no client and are left out.
 *
 *     history_dump PROGRAM-BASE [HOST] */
#include <inttypes.h>
#include <rpc/rpc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/frontend.h"

static void print_order(const struct jh_history *history, const struct jh_history_order *order)
{
	for (size_t i = 0; i < sizeof order->client; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			putchar('-');
		printf("%02x", (unsigned char)order->client.bytes[i]);
	}
	printf(" %" PRIu64 " %.*s %" PRIu64 " %u\n", (uint64_t)order->request, (int)history->postcode.postcode_len,
	       history->postcode.postcode_val, (uint64_t)order->op, order->number);
}

/* One page, newest below `before`; *next is where the page before it ends, 0 when there is none. */
static bool print_page(CLIENT *client, char *postcode, unsigned before, unsigned *next)
{
	struct jh_read_args args = {.timeout_ms = 20000};
	struct jh_read_result result;
	struct jh_history_query *query = &args.query.jh_query_u.history;

	args.query.kind = JH_QUERY_HISTORY;
	query->postcode.postcode_val = postcode;
	query->postcode.postcode_len = (u_int)strlen(postcode);
	query->before = before;
	query->limit = JH_PAGE_MAX;
	memset(&result, 0, sizeof result);

	enum clnt_stat status = read_history_2(&args, &result, client);
	if (status != RPC_SUCCESS || result.outcome != JH_DONE) {
		fprintf(stderr, "history_dump: %s: %s, outcome %d\n", postcode, clnt_sperrno(status),
			(int)result.outcome);
		return false;
	}

	const struct jh_history *history = &result.jh_read_result_u.done.answer.jh_query_answer_u.history;
	*next = 0;
	for (u_int i = 0; i < history->orders.orders_len; i++) {
		const struct jh_history_order *order = &history->orders.orders_val[i];

		if (i == 0 && order->number > 1)
			*next = order->number;
		if (order->op > 0)
			print_order(history, order);
	}
	clnt_freeres(client, (xdrproc_t)xdr_jh_read_result, (caddr_t)&result);
	return true;
}

int main(int argc, char **argv)
{
	char line[128];

	if (argc < 2) {
		fprintf(stderr, "usage: history_dump PROGRAM-BASE [HOST]\n");
		return 2;
	}
	CLIENT *client = clnt_create(argc > 2 ? argv[2] : "127.0.0.1", (rpcprog_t)strtoul(argv[1], NULL, 10),
				     JH_FRONTEND_V2, "tcp");
	if (client == NULL) {
		clnt_pcreateerror("history_dump");
		return 4;
	}
	struct timeval timeout = {.tv_sec = 30};
	clnt_control(client, CLSET_TIMEOUT, (char *)&timeout);

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		for (unsigned before = 0, next;; before = next) {
			if (!print_page(client, line, before, &next))
				return 1;
			if (next == 0)
				break;
		}
	}
	clnt_destroy(client);
	return 0;
}
