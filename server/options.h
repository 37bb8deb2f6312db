/* The command line of justhungry-server. */
#pragma once

#include "server/node.h"

struct server_options {
	struct node_options node;
	const char *check;   /* --check DIR: verify offline and exit */
	bool check_json;     /* and print each operation */
};

/* Ends the program with status 2 and one line when an option makes no sense. */
void server_options_parse(int argc, char **argv, struct server_options *options);
