/* What `order` says: how an order ended, and the commands that go on from there. On standard output what was done, or
 * with --json how it ended; on standard error why it was not. */
#pragma once

#include "client/order_input.h"
#include "client/session.h"
#include "rpc/base/uuid.h"

/* What the orders of one command share; all is borrowed. */
struct placing {
	const struct client_options *options;
	const char *customer, *file; /* NULL: not given */
	enum request_kind kind;      /* of each: whose the numbers are */
	struct session *session;
	struct uuid client;
	uint64_t request; /* of the order under way */
};

/* Printed when the program crashes while the order may have left; to be freed. */
char *order_last_words(const struct placing *placing, const struct order_input *input);

/* The command that repeats the whole file, whose first order has that number; to be freed. */
char *order_file_again(const struct placing *placing, uint64_t first);

/* Returns the exit status: output that fails must not make a placed order look failed. */
int order_tell_placed(const struct placing *placing, const struct order_input *input, const struct jh_order_placed *placed);

/* Every other outcome of the session's last order. */
void order_tell_problem(const struct placing *placing, const struct order_input *input, enum outcome outcome,
			const char *error);

/* Nothing was sent. */
void order_tell_mistake(const struct placing *placing, const char *postcode, enum order_mistake mistake, const char *error);
