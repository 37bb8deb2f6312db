/* The smallest possible client: one order, through the stubs that stock rpcgen makes of the installed .x files,
 * without any option. stock_stubs.sh compiles it with each available compiler; it is not part of the build.
 *
 * stock_stubs_client PROGRAM-BASE ITEM */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "frontend.h"

int main(int argc, char **argv)
{
	jh_place_args args;
	jh_order *order = &args.operation.jh_operation_u.order;
	jh_item item;
	jh_write_result *result;
	jh_order_placed *placed;
	CLIENT *client;

	if (argc != 3)
		return 2;
	client = clnt_create("127.0.0.1", (unsigned long)atol(argv[1]), JH_FRONTEND_V2, "tcp");
	if (client == NULL) {
		clnt_pcreateerror("stock_stubs_client");
		return 4;
	}
	memset(&args, 0, sizeof args);
	if (getrandom(args.client.bytes, sizeof args.client.bytes, 0) != sizeof args.client.bytes)
		return 1;
	args.request = 1;
	args.operation.kind = JH_OPERATION_ORDER;
	order->postcode.postcode_val = "DH1 3LE";
	order->postcode.postcode_len = strlen("DH1 3LE");
	item.jh_item_val = argv[2];
	item.jh_item_len = (u_int)strlen(argv[2]);
	order->items.items_val = &item;
	order->items.items_len = 1;

	result = place_order_2(&args, client);
	if (result == NULL) {
		clnt_perror(client, "stock_stubs_client");
		return 5;
	}
	if (result->outcome != JH_DONE)
		return 3;
	placed = &result->jh_write_result_u.done.answer.jh_operation_answer_u.order;
	printf("#%u for %.*s\n", placed->number, (int)placed->postcode.postcode_len, placed->postcode.postcode_val);
	clnt_destroy(client);
	return 0;
}
