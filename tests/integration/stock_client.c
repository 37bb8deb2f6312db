/* Places an order and reads it back, built from rpc/frontend.x, rpc/shop.x and stock libtirpc alone, like any other
 * program: clnt_create finds the front-end through rpcbind, and each call blocks. Fails with a message when anything
 * differs from the documentation.
 *
 * stock_client PROGRAM-BASE [HOST] */
#include <inttypes.h>
#include <openssl/evp.h>
#include <rpc/rpc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rpc/frontend.h"

static char postcode[] = "dh13lg"; /* to be normalised */
static char customer[] = "Stock Client";
static char first_item[] = "cr\xc3\xa8me br\xc3\xbbl\xc3\xa9";
static char second_item[] = "espresso";

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "stock_client: FAILED: %s\n", what);
	exit(1);
}

static void expect(bool condition, const char *what)
{
	if (!condition)
		fail(what);
}

static void expect_call(enum clnt_stat status, CLIENT *client, const char *procedure)
{
	if (status == RPC_SUCCESS)
		return;
	clnt_perror(client, procedure);
	fail("the call");
}

static bool bytes_are(const char *bytes, u_int length, const char *text)
{
	return length == strlen(text) && memcmp(bytes, text, length) == 0;
}

/* Sends the request twice, as after a lost answer: executed once, and answered the same. */
static jh_order_placed place(CLIENT *client, jh_place_args *args)
{
	jh_write_result first, again;
	jh_order_placed *placed = &first.jh_write_result_u.done.answer.jh_operation_answer_u.order;

	memset(&first, 0, sizeof first);
	memset(&again, 0, sizeof again);
	expect_call(place_order_2(args, &first, client), client, "PLACE_ORDER");
	if (first.outcome != JH_DONE)
		fprintf(stderr, "stock_client: outcome %d: %.*s\n", (int)first.outcome,
			(int)first.jh_write_result_u.problem.error.jh_text_len,
			first.jh_write_result_u.problem.error.jh_text_val);
	expect(first.outcome == JH_DONE, "the order is placed");
	expect(bytes_are(placed->postcode.postcode_val, placed->postcode.postcode_len, "DH1 3LG"),
	       "postcode normalised");
	expect(placed->number > 0 && placed->op > 0 && placed->time_us > 0, "number, op and time are given");
	expect_call(place_order_2(args, &again, client), client, "PLACE_ORDER again");
	expect(again.outcome == JH_DONE, "the repeated order is answered");
	expect(again.jh_write_result_u.done.answer.jh_operation_answer_u.order.op == placed->op,
	       "by the first one's answer");
	clnt_freeres(client, (xdrproc_t)xdr_jh_write_result, (caddr_t)&again);
	return *placed; /* whose few bytes of postcode live until the end */
}

/* Histories show of a client id the first 16 bytes of SHA-256(cluster id, client id). */
static void shown_of(CLIENT *client, const jh_place_args *order, char shown[16])
{
	unsigned char both[32], digest[EVP_MAX_MD_SIZE];
	jh_cluster_status status;

	memset(&status, 0, sizeof status);
	expect_call(cluster_status_2(NULL, &status, client), client, "CLUSTER_STATUS");
	memcpy(both, status.cluster.bytes, 16);
	memcpy(both + 16, order->client.bytes, 16);
	clnt_freeres(client, (xdrproc_t)xdr_jh_cluster_status, (caddr_t)&status);
	expect(EVP_Digest(both, sizeof both, digest, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
	memcpy(shown, digest, 16);
}

/* Fails unless the newest orders to the postcode show exactly this one under its number. */
static void find(CLIENT *client, const jh_order_placed *placed, const jh_place_args *order)
{
	jh_read_args args = {.timeout_ms = 10000, .query = {.kind = JH_QUERY_HISTORY}};
	jh_history_query *query = &args.query.jh_query_u.history;
	jh_read_result result;
	unsigned int found = 0;
	char shown[16];

	shown_of(client, order, shown);
	query->postcode.postcode_val = postcode;
	query->postcode.postcode_len = sizeof postcode - 1;
	query->limit = JH_PAGE_MAX;
	memset(&result, 0, sizeof result);
	expect_call(read_history_2(&args, &result, client), client, "READ_HISTORY");
	expect(result.outcome == JH_DONE, "the history is read");
	expect(result.jh_read_result_u.done.basis.op >= placed->op, "the history is not older than the order");

	const jh_history *history = &result.jh_read_result_u.done.answer.jh_query_answer_u.history;
	for (u_int i = 0; i < history->orders.orders_len; i++) {
		const jh_history_order *row = &history->orders.orders_val[i];

		expect(memcmp(row->client.bytes, order->client.bytes, sizeof row->client.bytes) != 0,
		       "no history shows a client id");
		if (memcmp(row->client.bytes, shown, sizeof row->client.bytes) != 0)
			continue;
		found++;
		expect(row->number == placed->number && row->op == placed->op, "under the number and op it was told");
		expect(row->request == order->request, "with its request number");
		expect(row->time_us == placed->time_us, "with its time");
		expect(bytes_are(row->customer.customer_val, row->customer.customer_len, customer), "for its customer");
		expect(row->items.items_len == 2, "with both items");
		expect(bytes_are(row->items.items_val[0].jh_item_val, row->items.items_val[0].jh_item_len, first_item),
		       "the first item");
		expect(bytes_are(row->items.items_val[1].jh_item_val, row->items.items_val[1].jh_item_len, second_item),
		       "the second item");
	}
	expect(found == 1, "the order is in the history exactly once");
	clnt_freeres(client, (xdrproc_t)xdr_jh_read_result, (caddr_t)&result);
}

/* An item with a NUL byte must be refused, not cut. */
static void expect_refusal(CLIENT *client, jh_place_args *args)
{
	jh_order *order = &args->operation.jh_operation_u.order;
	jh_write_result result;

	args->request++;
	order->items.items_val[0].jh_item_val[1] = '\0';
	memset(&result, 0, sizeof result);
	expect_call(place_order_2(args, &result, client), client, "PLACE_ORDER with a NUL byte");
	expect(result.outcome == JH_REFUSED, "a NUL byte is refused");
	expect(result.jh_write_result_u.problem.reason == JH_REASON_BAD_REQUEST, "as a bad request");
	clnt_freeres(client, (xdrproc_t)xdr_jh_write_result, (caddr_t)&result);
}

int main(int argc, char **argv)
{
	jh_item items[2] = {{sizeof first_item - 1, first_item}, {sizeof second_item - 1, second_item}};
	jh_place_args args = {.request = 1, .timeout_ms = 10000, .operation = {.kind = JH_OPERATION_ORDER}};
	jh_order *order = &args.operation.jh_operation_u.order;
	struct timeval timeout = {.tv_sec = 30};
	CLIENT *client;

	if (argc < 2) {
		fprintf(stderr, "usage: stock_client PROGRAM-BASE [HOST]\n");
		return 2;
	}
	client = clnt_create(argc > 2 ? argv[2] : "127.0.0.1", (rpcprog_t)strtoul(argv[1], NULL, 10), JH_FRONTEND_V2,
			     "tcp");
	if (!client) {
		clnt_pcreateerror("stock_client");
		return 4;
	}
	clnt_control(client, CLSET_TIMEOUT, (char *)&timeout);
	expect(getrandom(args.client.bytes, sizeof args.client.bytes, 0) == sizeof args.client.bytes, "16 random bytes");
	order->customer.customer_val = customer;
	order->customer.customer_len = sizeof customer - 1;
	order->postcode.postcode_val = postcode;
	order->postcode.postcode_len = sizeof postcode - 1;
	order->items.items_val = items;
	order->items.items_len = 2;

	jh_order_placed placed = place(client, &args);
	find(client, &placed, &args);
	expect_refusal(client, &args);
	printf("stock_client: order #%u for DH1 3LG placed once, and read back\n", placed.number);
	free(placed.postcode.postcode_val);
	clnt_destroy(client);
	return 0;
}
