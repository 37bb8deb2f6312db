#include "client/order_tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/advice.h"
#include "client/output.h"
#include "rpc/base/shortage.h"
#include "rpc/program/standard_output.h"

/* --- commands ------------------------------------------------------------------------------------------------------ */

/* `justhungry order` with the options that all of its orders share. */
static struct advice *advise(const struct placing *placing, uint64_t request)
{
	struct advice *advice = advice_client(placing->options, "order");

	if (placing->customer)
		advice_option(advice, "customer", placing->customer);
	advice_request(advice, placing->client, request);
	return advice;
}

char *order_file_again(const struct placing *placing, uint64_t first)
{
	struct advice *advice = advise(placing, first);

	advice_option(advice, "file", placing->file);
	return advice_take(advice);
}

/* The commands that end a doubt, to be freed: the one repeats exactly this order, the other cancels it. */
struct ways {
	char *again, *cancel;
};

static struct ways ways_out(const struct placing *placing, const struct order_input *input)
{
	struct advice *advice = advise(placing, placing->request);
	struct advice *cancel = advice_client(placing->options, "cancel");

	advice_word(advice, input->postcode);
	for (size_t i = 0; i < input->items_count; i++)
		advice_word(advice, input->items[i]);
	advice_request(cancel, placing->client, placing->request);
	return (struct ways){.again = advice_take(advice), .cancel = advice_take(cancel)};
}

static void ways_free(struct ways *ways)
{
	free(ways->again);
	free(ways->cancel);
}

/* To be freed. */
static char *say_ways(const char *first, const struct ways *ways)
{
	char *text = NULL;

	if (asprintf(&text,
		     "%sThe order may have been placed. This asks again, and places it once:\n  %s\n"
		     "Or this makes sure that it will not be placed, and says so if it was already:\n  %s\n",
		     first, ways->again, ways->cancel) < 0)
		shortage_of_memory(__func__);
	return text;
}

char *order_last_words(const struct placing *placing, const struct order_input *input)
{
	struct ways ways = ways_out(placing, input);
	char *words = say_ways("justhungry: outcome unknown: this program ends before its order is answered\n", &ways);

	ways_free(&ways);
	return words;
}

/* --- outcomes ------------------------------------------------------------------------------------------------------ */

/* How an order ended. */
struct ended {
	const char *postcode; /* as typed */
	enum outcome outcome;
	bool decided;
	struct answer_why why;
	const struct jh_order_placed *placed; /* NULL: it was not done */
	const char *error;                    /* NULL: it was done */
	const struct ways *ways;              /* NULL: it is not in doubt */
};

static void print_json(const struct placing *placing, const struct ended *ended)
{
	const struct jh_order_placed *placed = ended->placed;
	char uuid[UUID_TEXT_SIZE];
	json_t *object = json_object();

	json_object_set_new(object, "outcome", json_string(outcome_name(ended->outcome)));
	json_object_set_new(object, "postcode",
			    placed ? output_text(placed->postcode.postcode_val, placed->postcode.postcode_len)
				   : output_text(ended->postcode, strlen(ended->postcode)));
	json_object_set_new(object, "number", placed ? output_number(placed->number) : json_null());
	json_object_set_new(object, "op", placed ? output_number(placed->op) : json_null());
	json_object_set_new(object, "time", placed ? output_time(placed->time_us) : json_null());
	json_object_set_new(object, "check", placed ? output_check(placed->check) : json_null());
	json_object_set_new(object, "client", json_string(uuid_format(placing->client, uuid)));
	json_object_set_new(object, "request", output_number(placing->request));
	output_why(object, ended->decided, &ended->why);
	json_object_set_new(object, "error", ended->error ? output_text(ended->error, strlen(ended->error)) : json_null());
	if (ended->ways) {
		json_object_set_new(object, "ask_again", output_text(ended->ways->again, strlen(ended->ways->again)));
		json_object_set_new(object, "cancel", output_text(ended->ways->cancel, strlen(ended->ways->cancel)));
	}
	output_json_take(object);
}

int order_tell_placed(const struct placing *placing, const struct order_input *input, const struct jh_order_placed *placed)
{
	const struct ended ended = {.postcode = input->postcode, .outcome = OUTCOME_DONE, .decided = true, .placed = placed};
	char *postcode = text_escape(placed->postcode.postcode_val, placed->postcode.postcode_len);
	char done[256], uuid[UUID_TEXT_SIZE];
	bool written;

	if (placing->options->json) {
		print_json(placing, &ended);
	} else {
		printf("Order %" PRIu64 " (#%u for %s) placed\n", placed->op, placed->number, postcode);
	}
	snprintf(done, sizeof done, "order %" PRIu64 " (#%u for %.32s) is placed (client %s, request %" PRIu64 ")",
		 placed->op, placed->number, postcode, uuid_format(placing->client, uuid), placing->request);
	written = standard_output_written(done);
	if (!placing->options->json) {
		if (placed->check == JH_CHECK_FORMAT_ONLY && !placing->file && isatty(STDERR_FILENO))
			fputs("(format-only: no provider could say whether the postcode exists; it has the right form)\n", stderr);
	}
	free(postcode);
	return written ? EXIT_DONE : EXIT_UNWRITTEN;
}

void order_tell_problem(const struct placing *placing, const struct order_input *input, enum outcome outcome,
			const char *error)
{
	struct ways ways = ways_out(placing, input);
	const struct ended ended = {.postcode = input->postcode, .outcome = outcome,
				    .decided = session_decided(placing->session), .why = *session_why(placing->session),
				    .error = error, .ways = outcome == OUTCOME_UNKNOWN ? &ways : NULL};

	if (outcome == OUTCOME_UNKNOWN) {
		char *text = say_ways("", &ways);

		output_complain("justhungry: outcome unknown: %s", error);
		fputs(text, stderr);
		free(text);
	} else {
		output_error(error);
	}
	if (placing->options->json)
		print_json(placing, &ended);
	ways_free(&ways);
}

void order_tell_mistake(const struct placing *placing, const char *postcode, enum order_mistake mistake, const char *error)
{
	const struct ended ended = {
		.postcode = postcode, .outcome = OUTCOME_REFUSED, .error = error,
		.why.reason = mistake == ORDER_INVALID_POSTCODE ? JH_REASON_INVALID_POSTCODE : JH_REASON_BAD_REQUEST};

	output_complain("justhungry order: %s", error);
	if (placing->options->json)
		print_json(placing, &ended);
}
