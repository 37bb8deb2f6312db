/* Purpose: history shows each order once, oldest first, however many pages they arrive in and wherever the limit
 * falls; an invalid answer is neither shown as a history nor makes the client ask without end. Against a front-end of
 * the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "tests/unit/support_frontend.h"

#define QUERIES_MAX 8

enum manner { HONEST, SAME_PAGE, FALLING, EMPTY };

/* In memory that test and front-end share. */
static struct script {
	enum manner manner;
	uint32_t orders; /* to any postcode */
	uint32_t queries;
	struct {
		uint32_t before, limit;
	} seen[QUERIES_MAX];
	char address[FRONTEND_ADDRESS_SIZE];
} *script;

/* --- the front-end ---------------------------------------------------------------------------------------------- */

bool_t read_history_2_svc(jh_read_args *args, jh_read_result *result, struct svc_req *request)
{
	const jh_history_query *query = &args->query.jh_query_u.history;
	jh_history *history = &result->jh_read_result_u.done.answer.jh_query_answer_u.history;
	uint32_t last = query->before ? query->before - 1 : script->orders, count;

	(void)request;
	memset(result, 0, sizeof *result);
	if (script->queries < QUERIES_MAX) {
		script->seen[script->queries].before = query->before;
		script->seen[script->queries].limit = query->limit;
	}
	/* The op that this answer reflects: orders continue while pages are read. */
	result->jh_read_result_u.done.basis.op = 1000 + script->queries++;
	result->jh_read_result_u.done.answer.kind = JH_QUERY_HISTORY;
	history->postcode.postcode_val = strdup("DH1 3LE");
	history->postcode.postcode_len = 7;
	history->total = script->orders;
	if (script->manner == SAME_PAGE)
		last = script->orders;
	count = script->manner == EMPTY ? 0 : last < query->limit ? last : query->limit;
	history->orders.orders_len = count;
	history->orders.orders_val = calloc(count + 1, sizeof *history->orders.orders_val);
	for (uint32_t i = 0; i < count; i++)
		history->orders.orders_val[i].number = script->manner == FALLING ? last - i : last - count + 1 + i;
	return TRUE;
}

static void start_frontend(enum manner manner, uint32_t orders)
{
	memset(script, 0, sizeof *script);
	script->manner = manner;
	script->orders = orders;
	fork_frontend(script->address, PROGRAM_BASE_DEFAULT);
}

/* --- the command ------------------------------------------------------------------------------------------------ */

/* Runs history with --limit; the output is in `printed`, to be freed. */
static int history(bool json, uint32_t limit, char **printed)
{
	struct client_options options = client_options_default();
	char number[16];
	char *argv[] = {(char *)"justhungry history", (char *)"--limit", number, (char *)"DH1 3LE", NULL};
	FILE *before = stdout;
	size_t size;
	int status;

	snprintf(number, sizeof number, "%u", limit);
	options.frontend = script->address;
	options.timeout_ms = 20000;
	options.json = json;
	stdout = open_memstream(printed, &size);
	assert_non_null(stdout);
	status = command_history(options, 4, argv);
	fclose(stdout);
	stdout = before;
	return status;
}

/* The orders first..last, oldest first, in both forms; the queries seen meanwhile are left in the script. */
static void shows(uint32_t orders, uint32_t limit, uint32_t first, uint32_t last)
{
	char *text, *json, *at, line[16];
	json_t *object, *list;
	uint32_t number = first;

	start_frontend(HONEST, orders);
	assert_int_equal(history(true, limit, &json), EXIT_DONE);
	assert_int_equal(history(false, limit, &text), EXIT_DONE);
	stop_frontend();
	object = json_loads(json, 0, NULL);
	assert_non_null(object);
	assert_int_equal(json_integer_value(json_object_get(object, "total")), orders);
	assert_int_equal(json_integer_value(json_object_get(object, "op")), 1000);
	list = json_object_get(object, "orders");
	assert_int_equal(json_array_size(list), orders ? last - first + 1 : 0);
	for (size_t i = 0; i < json_array_size(list); i++)
		assert_int_equal(json_integer_value(json_object_get(json_array_get(list, i), "number")), first + i);
	at = strchr(text, '\n');
	assert_non_null(at);
	for (; orders && number <= last; number++) {
		snprintf(line, sizeof line, "\n  #%u ", number);
		assert_int_equal(strncmp(at, line, strlen(line)), 0);
		at = strchr(at + 1, '\n');
		assert_non_null(at);
	}
	assert_string_equal(at, "\n");
	json_decref(object);
	free(json);
	free(text);
}

static void asked(uint32_t query, uint32_t before, uint32_t limit)
{
	assert_int_equal(script->seen[query].before, before);
	assert_int_equal(script->seen[query].limit, limit);
}

static void test_pages_end_where_the_history_does(void **state)
{
	(void)state;
	shows(0, 0, 0, 0);
	assert_int_equal(script->queries, 2); /* one for each form */
	shows(1, 0, 1, 1);
	shows(199, 0, 1, 199);
	assert_int_equal(script->queries, 2);
	shows(200, 0, 1, 200);
	assert_int_equal(script->queries, 2);
	shows(201, 0, 1, 201); /* the second page is #1 alone */
	assert_int_equal(script->queries, 4);
	asked(0, 0, JH_PAGE_MAX);
	asked(1, 2, JH_PAGE_MAX);
	shows(202, 0, 1, 202);
	shows(400, 0, 1, 400);
	shows(401, 0, 1, 401);
	assert_int_equal(script->queries, 6);
	asked(1, 202, JH_PAGE_MAX);
	asked(2, 2, JH_PAGE_MAX);
}

static void test_pages_end_where_the_limit_does(void **state)
{
	(void)state;
	shows(201, 1, 201, 201);
	asked(0, 0, 1);
	assert_int_equal(script->queries, 2);
	shows(201, 200, 2, 201);
	assert_int_equal(script->queries, 2);
	shows(500, 201, 300, 500);
	assert_int_equal(script->queries, 4);
	asked(0, 0, JH_PAGE_MAX);
	asked(1, 301, 1);
	shows(201, 300, 1, 201);
}

/* The numbers of a page rise, and are below the requested one. */
static void test_nonsense_is_no_history(void **state)
{
	static const enum manner manners[] = {SAME_PAGE, FALLING};
	char *printed;

	(void)state;
	for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
		start_frontend(manners[i], 300);
		assert_int_equal(history(true, 0, &printed), EXIT_UNAVAILABLE);
		stop_frontend();
		assert_non_null(strstr(printed, "makes no sense"));
		assert_int_equal(script->queries, manners[i] == SAME_PAGE ? 2 : 1);
		free(printed);
	}
	start_frontend(EMPTY, 300);
	assert_int_equal(history(true, 0, &printed), EXIT_DONE);
	stop_frontend();
	assert_int_equal(script->queries, 1);
	free(printed);
}

static int set_up(void **state)
{
	(void)state;
	script = shared_with_frontend(sizeof *script);
	return script == NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_end_where_the_history_does),
		cmocka_unit_test(test_pages_end_where_the_limit_does),
		cmocka_unit_test(test_nonsense_is_no_history),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
