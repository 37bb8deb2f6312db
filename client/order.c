/* order: places one order, or the orders of a file one after the other. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/advice.h"
#include "client/command.h"
#include "client/interrupt.h"
#include "client/order_input.h"
#include "client/order_tell.h"
#include "client/output.h"
#include "client/session.h"
#include "rpc/base/lines.h"
#include "rpc/base/must.h"
#include "rpc/base/order_text.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/program/standard_output.h"

struct order_command {
	const char *customer;
	const char *file;
	struct uuid client;
	bool has_client;
	uint64_t request; /* 0: not given */
	char *words[ORDER_WORDS_MAX];
	size_t words_count; /* may exceed what words holds: then it is too many */
};

enum { KEY_CUSTOMER = 0x200, KEY_CLIENT, KEY_REQUEST, KEY_FILE };

static error_t check_combination(const struct order_command *command, const struct argp_state *state)
{
	if (command->has_client != (command->request > 0))
		argp_error(state, "--client-id and --request belong together: give both or none");
	else if (command->file && command->words_count)
		argp_error(state, "with --file the orders come from the file: give no POSTCODE and no ITEM");
	else if (!command->file && !command->words_count)
		argp_error(state, "which POSTCODE, and which ITEMs?");
	else
		return 0;
	return EINVAL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct order_command *command = state->input;

	switch (key) {
	case KEY_CUSTOMER:
		command->customer = text;
		return 0;
	case KEY_FILE:
		if (strchr(text, '\n')) {
			argp_error(state, "--file: a name with a line break is not taken: give the file as standard input (--file -)");
			return EINVAL;
		}
		command->file = text;
		return 0;
	case KEY_REQUEST:
		return command_number(state, "--request", text, 1, UINT64_MAX, &command->request) ? 0 : EINVAL;
	case KEY_CLIENT:
		command->has_client = true;
		return command_client_id(state, text, &command->client) ? 0 : EINVAL;
	case ARGP_KEY_ARG:
		if (command->words_count < ORDER_WORDS_MAX)
			command->words[command->words_count] = text;
		command->words_count++;
		return 0;
	case ARGP_KEY_END:
		return check_combination(command, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"customer", KEY_CUSTOMER, "NAME", 0, "Who orders", 0},
	{"client-id", KEY_CLIENT, "UUID", 0, "Ask again: the client id that the first attempt printed", 0},
	{"request", KEY_REQUEST, "N", 0, "Ask again: its request number", 0},
	{"file", KEY_FILE, "FILE", 0,
	 "Place the orders of FILE (- is standard input), UTF-8, one a line: POSTCODE<TAB>ITEM<TAB>ITEM... Empty lines "
	 "and those that begin with # are left out. Stops at the first that is not placed. With --client-id and --request its "
	 "orders are numbered from N on, so that placing the same file again places what is missing and nothing twice",
	 0},
	{0},
};

const struct argp command_order_argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "POSTCODE ITEM...\n--file FILE",
	.doc = "Places an order. Quote the postcode: justhungry order \"DH1 3LE\" pizza \"garlic bread\"\vExit "
	       "status 5 means that the order may have been placed: the command that is printed asks again, and "
	       "places it once however often it is run; the other one, \"cancel\", makes sure that it is not placed.",
};

/* --- placing ---------------------------------------------------------------------------------------------------- */

/* The request's wire form borrows from input. */
static struct jh_place_args wire_order(const struct placing *placing, const struct order_input *input,
				       jh_item items[static JH_ITEMS_MAX])
{
	const char *customer = placing->customer ? placing->customer : "";
	struct jh_place_args args = {.request = placing->request, .operation = {.kind = JH_OPERATION_ORDER}};
	struct jh_order *order = &args.operation.jh_operation_u.order;

	must(input->items_count <= JH_ITEMS_MAX);
	args.client = convert_uuid_to_wire(placing->client);
	order->customer.customer_val = (char *)customer;
	order->customer.customer_len = (u_int)strlen(customer);
	order->postcode.postcode_val = (char *)input->postcode;
	order->postcode.postcode_len = (u_int)strlen(input->postcode);
	for (size_t i = 0; i < input->items_count; i++) {
		items[i].jh_item_val = (char *)input->items[i];
		items[i].jh_item_len = (u_int)strlen(input->items[i]);
	}
	order->items.items_val = items;
	order->items.items_len = (u_int)input->items_count;
	return args;
}

/* `where` names the line of the file in front of an error, or is empty. Returns the exit status. */
static int place(const struct placing *placing, const struct order_input *input, const char *where)
{
	char *words = order_last_words(placing, input);
	int status;
	struct jh_write_result result;
	jh_item items[JH_ITEMS_MAX];
	struct jh_place_args args = wire_order(placing, input, items);
	char error[SESSION_ERROR_SIZE], line[SESSION_ERROR_SIZE + 128];
	enum outcome outcome;

	interrupt_last_words(words);
	outcome = session_place(placing->session, placing->kind, &args, &result, error);
	if (outcome == OUTCOME_DONE) {
		status = order_tell_placed(placing, input, &result.jh_write_result_u.done.answer.jh_operation_answer_u.order);
		xdr_free((xdrproc_t)xdr_jh_write_result, &result);
	} else {
		snprintf(line, sizeof line, "%s%s", where, error);
		order_tell_problem(placing, input, outcome, line);
		status = outcome_exit_status(outcome);
	}
	interrupt_last_words(NULL);
	free(words);
	return status;
}

/* A mistake found before anything was sent: status 2, or 3 for a text that can be no postcode. */
static int reject(const struct placing *placing, const char *postcode, enum order_mistake mistake, const char *error)
{
	order_tell_mistake(placing, postcode, mistake, error);
	return mistake == ORDER_INVALID_POSTCODE ? EXIT_REFUSED : EXIT_USAGE;
}

static int place_words(const struct placing *placing, const struct order_command *command)
{
	struct order_input input;
	char error[ORDER_ERROR_SIZE];
	enum order_mistake mistake = order_input_from_words((const char *const *)command->words, command->words_count,
							    command->customer, &input, error);

	if (mistake)
		return reject(placing, command->words[0], mistake, error);
	return place(placing, &input, "");
}

/* --- from a file ------------------------------------------------------------------------------------------------ */

/* How to continue with a file that was not placed to its end. */
enum way_on {
	WAY_AGAIN,    /* repeat the same command */
	WAY_CORRECT,  /* the line must be corrected first */
	WAY_PUT_BACK, /* the number belongs to another order: lines were changed since it was used */
	WAY_BEHIND,   /* the number is void: the next lines need higher ones */
	WAY_NONE
};

static enum way_on way_after(jh_reason reason)
{
	switch (reason) {
	case JH_REASON_BAD_REQUEST:
	case JH_REASON_INVALID_POSTCODE:
		return WAY_CORRECT;
	case JH_REASON_KEY_REUSED:
		return WAY_PUT_BACK;
	case JH_REASON_VOID:
		return WAY_BEHIND;
	case JH_REASON_NONE:
	case JH_REASON_DONE_BEFORE:
	case JH_REASON_FORMAT:
	case JH_REASON_POSTCODE_UNCHECKED:
	case JH_REASON_FULL:
	case JH_REASON_DISK_FULL:
	case JH_REASON_TOO_FEW_MEMBERS:
	case JH_REASON_NO_PRIMARY:
	case JH_REASON_BUSY:
		break;
	}
	return WAY_AGAIN;
}

/* With the same input, when that is a pipe. placing->request: the number of the next line. */
static void say_way_on(const struct placing *placing, uint64_t first, enum way_on way, uint64_t line)
{
	char *command = order_file_again(placing, way == WAY_BEHIND ? placing->request : first);

	if (way == WAY_PUT_BACK)
		fprintf(stderr,
			"Up to line %" PRIu64 " these are not the lines that were placed under these numbers: put back what was "
			"changed or deleted,\nadd new orders at the end, and repeat the command. (A higher --request would place "
			"the whole file again.)\n", line);
	else if (way == WAY_CORRECT)
		fprintf(stderr,
			"Correct line %" PRIu64 " in place and keep the other lines. Then this goes on with the file, placing nothing "
			"twice:\n  %s\n", line, command);
	else if (way == WAY_BEHIND && placing->request != 0)
		fprintf(stderr,
			"The number of line %" PRIu64 " is void: no order will be placed under it. Take the lines up to that one out of "
			"the file (to place it\nafter all, only those before it). Then this goes on:\n  %s\n", line, command);
	else if (way == WAY_AGAIN)
		fprintf(stderr, "This goes on with the file, placing nothing twice:\n  %s\n", command);
	free(command);
}

static void say_stopped(uint64_t placed)
{
	if (!placed)
		fprintf(stderr, "No order of the file is placed.\n");
	else if (placed == 1)
		fprintf(stderr, "One order of the file is placed.\n");
	else
		fprintf(stderr, "%" PRIu64 " orders of the file are placed.\n", placed);
}

static int place_line(const struct placing *placing, enum lines_found found, const struct line *line, enum way_on *way)
{
	struct order_input input = {0};
	char error[ORDER_ERROR_SIZE], where[96], full[ORDER_ERROR_SIZE + 96];
	enum order_mistake mistake = ORDER_MISUSED;
	int status;

	*way = placing->request ? WAY_CORRECT : WAY_NONE;
	snprintf(where, sizeof where, "line %" PRIu64 ": ", line->number);
	if (!placing->request) /* after 2^64 - 1 */
		snprintf(error, sizeof error, "there is no higher request number");
	else if (found == LINES_REFUSED)
		snprintf(error, sizeof error, "%s", line->error);
	else
		mistake = order_input_from_line(line->text, line->size, placing->customer, &input, error);
	if (mistake) {
		snprintf(full, sizeof full, "%s%s", where, error);
		return reject(placing, input.postcode ? input.postcode : "", mistake, full);
	}
	status = place(placing, &input, where);
	*way = way_after(session_why(placing->session)->reason);
	return status;
}

/* Reading the input failed at a line; returns the exit status. */
static int say_unread(const struct placing *placing, uint64_t line)
{
	if (interrupt_signal()) {
		fprintf(stderr, "justhungry order: ended by %s: line %" PRIu64 " was not read\n", interrupt_name(), line);
		return EXIT_UNAVAILABLE;
	}
	output_complain("justhungry order: cannot read %s: %s", placing->file, strerror(errno));
	return EXIT_USAGE;
}

static int place_lines(struct placing *placing, FILE *file)
{
	struct lines *lines = lines_new(file);
	struct line line;
	enum lines_found found;
	uint64_t placed = 0, first = placing->request;
	enum way_on way = WAY_AGAIN;
	int status = EXIT_DONE;

	while (!status && (found = lines_next(lines, &line)) != LINES_END) {
		if (found == LINES_FAILED) {
			status = say_unread(placing, line.number);
		} else {
			status = place_line(placing, found, &line, &way);
			if (status == EXIT_DONE || status == EXIT_UNWRITTEN)
				placed++;
			placing->request++;
		}
		if (status) {
			say_stopped(placed);
			say_way_on(placing, first, found == LINES_FAILED ? WAY_AGAIN : way, line.number);
		}
	}
	lines_free(lines);
	return status;
}

static int place_file(struct placing *placing)
{
	const char *name = placing->file;
	const char *customer = placing->customer;
	char error[ORDER_ERROR_SIZE];
	FILE *file;
	int status, fd;

	if (customer && !order_customer_good(customer, strlen(customer), error)) /* not the fault of any line */
		return reject(placing, "", ORDER_MISUSED, error);
	fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		output_complain("justhungry order: cannot open %s: %s", name, strerror(errno));
		return EXIT_USAGE;
	}
	file = interrupt_reader(fd);
	status = place_lines(placing, file);
	fclose(file);
	if (fd != STDIN_FILENO)
		close(fd);
	return status;
}

static bool is_option(const char *word)
{
	static const struct argp_option *const lists[] = {argp_options, command_global_options};
	size_t size = strcspn(word, "=");

	if (strcmp(word, "-?") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "--usage") == 0)
		return true;
	if (word[1] != '-')
		return false;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		for (const struct argp_option *option = lists[i]; option->name || option->doc; option++)
			if (option->name && strncmp(option->name, word + 2, size - 2) == 0)
				return true;
	}
	return false;
}

/* "-1 spice" after the postcode is meant as an item. */
static void hint_of_hyphens(int argc, char **argv)
{
	bool postcode = false;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (postcode && argv[i][0] == '-' && argv[i][1] && !is_option(argv[i])) {
			fputs("justhungry order: is that an item? What begins with a hyphen goes behind \"--\": justhungry order "
			      "-- POSTCODE ITEM...\n", stderr);
			return;
		}
		postcode |= argv[i][0] != '-';
	}
}

int command_order(struct client_options options, int argc, char **argv)
{
	struct order_command command = {0};
	struct placing placing = {.options = &options};
	int status;

	if (!command_parse(&command_order_argp, &options, argc, argv, &command, &status)) {
		if (status == EXIT_USAGE)
			hint_of_hyphens(argc, argv);
		return status;
	}
	placing.session = session_new(&options);
	placing.customer = command.customer;
	placing.file = command.file;
	/* Whoever goes on with a file uses the numbers of its lines again, so they are not made void. */
	placing.kind = command.has_client ? REQUEST_AGAIN : command.file ? REQUEST_KEPT : REQUEST_WRITE;
	/* RULE 11: drawn once, for all attempts; the orders of a file are numbered from here. */
	placing.client = command.has_client ? command.client : uuid_draw();
	placing.request = command.request ? command.request : 1;
	status = command.file ? place_file(&placing) : place_words(&placing, &command);
	session_free(placing.session);
	return status;
}
