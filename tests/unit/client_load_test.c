/* Purpose: bench repeats requests as a session does, and counts each order once, with the outcome that rule 12
 * demands. Against a scripted front-end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "client/load.h"
#include "tests/unit/support_script.h"

static struct load_result *run_load(const struct client_options *options, uint32_t clients, uint64_t orders)
{
	struct load_options load = {
		.client = options, .clients = clients, .orders = orders, .read_orders = 1, .postcodes = 2};
	struct load_result *result = malloc(sizeof *result);

	assert_non_null(result);
	load_run(&load, result);
	stop_frontend();
	return result;
}

static void test_bench_asks_again_and_counts_each_order_once(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE, CLOSE, UNKNOWN, BUSY, DONE));
	struct load_result *result = run_load(&options, 1, 10);

	(void)state;
	assert_int_equal(result->orders, 10);
	assert_int_equal(result->errors, 0);
	assert_int_equal(result->refused, 0);
	assert_int_equal(script->calls, 13);
	assert_int_equal(script->seen[0].request, 1);
	for (int call = 1; call < 5; call++)
		assert_int_equal(script->seen[call].request, 2);
	assert_int_equal(script->seen[5].request, 3);
	assert_true(result->max_gap_us >= result->latency_us.max);
	free(result);
}

static void test_bench_counts_refusals_and_unknowns(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE, REFUSE, DONE));
	struct load_result *result = run_load(&options, 1, 3);

	(void)state;
	assert_int_equal(result->orders, 3);
	assert_int_equal(result->refused, 1);
	free(result);
	/* In doubt after a refusal: void; or refused to be, as it was placed. */
	options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, DONE));
	result = run_load(&options, 1, 3);
	assert_int_equal(result->orders, 3);
	assert_int_equal(result->refused, 1);
	assert_int_equal(result->unknown, 0);
	assert_int_equal(script->calls, 6);
	assert_int_equal(script->seen[2].operation.kind, JH_OPERATION_VOID);
	assert_int_equal(script->seen[2].request, 1);
	free(result);
	options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, EXECUTED, DONE));
	result = run_load(&options, 1, 3);
	assert_int_equal(result->orders, 3);
	assert_int_equal(result->refused, 0);
	assert_int_equal(result->unknown, 0);
	assert_int_equal(script->calls, 6);
	assert_int_equal(script->seen[3].operation.kind, JH_OPERATION_ORDER);
	assert_int_equal(script->seen[3].request, 1);
	free(result);
	options = start_frontend(20000, SCRIPT(NO_PROGRAM, NO_PROCEDURE, DONE, GARBAGE));
	clock_jumps_after(5); /* twice GARBAGE */
	result = run_load(&options, 1, 3);
	assert_int_equal(result->orders, 1);
	assert_int_equal(result->unknown, 0);
	assert_int_equal(result->errors, 1);
	assert_int_equal(script->calls, 5);
	free(result);
}

/* The log holds orders: what was made void is none. */
static void test_bench_logs_no_void(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, DONE));
	FILE *log = tmpfile();
	struct load_options load = {.client = &options, .clients = 1, .orders = 2, .read_orders = 1, .postcodes = 2, .log = log};
	struct load_result *result = malloc(sizeof *result);
	unsigned long long request, op;
	char client[64];

	(void)state;
	assert_non_null(log);
	assert_non_null(result);
	load_run(&load, result);
	stop_frontend();
	assert_int_equal(result->refused, 1);
	rewind(log);
	for (unsigned long long wanted = 2; wanted <= 3; wanted++) {
		assert_int_equal(fscanf(log, "%63s %llu %llu 0 ", client, &request, &op), 3); /* the script names no postcode */
		assert_int_equal(request, wanted);
		assert_int_equal(op, 7);
	}
	assert_int_equal(fgetc(log), EOF);
	fclose(log);
	free(result);
}

/* An order that is finally refused cannot be placed by retrying: as many failures as wanted orders end the run. */
static void test_bench_ends_without_an_order(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(REFUSE));
	struct load_result *result = run_load(&options, 1, 3);

	(void)state;
	assert_int_equal(result->refused, 3);
	assert_int_equal(result->orders, 0);
	free(result);
}

/* Answers have stopped: requests under way may have been executed. */
static void test_bench_cut_off_is_unknown(void **state)
{
	struct client_options options = start_frontend(100, SCRIPT(DONE, HOLD));
	struct load_result *result;

	(void)state;
	clock_stands_until(2);
	result = run_load(&options, 1, 3);
	assert_int_equal(result->orders, 1);
	assert_int_equal(result->errors, 1);
	assert_int_equal(result->unknown, 1);
	free(result);
}

static void test_bench_draws_fresh_clients(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE));
	struct load_options load = {.client = &options, .clients = 2, .orders = 6, .read_orders = 1, .postcodes = 2,
				    .fresh_clients = true};
	struct load_result *result = malloc(sizeof *result);

	(void)state;
	load_run(&load, result);
	stop_frontend();
	assert_int_equal(script->calls, 6);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(script->seen[i].request, 1);
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(script->seen[i].client.bytes, script->seen[k].client.bytes, 16);
	}
	free(result);
}

/* A lost read causes no doubt: a later answer counts. */
static void test_bench_reads_are_never_unknown(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(CLOSE, REFUSE, DONE));
	struct load_options load = {.client = &options, .clients = 1, .duration_us = 100000, .reads_percent = 100,
				    .read_orders = 1, .postcodes = 2};
	struct load_result *result = malloc(sizeof *result);

	(void)state;
	load_run(&load, result);
	stop_frontend();
	assert_int_equal(result->refused, 1);
	assert_int_equal(result->unknown, 0);
	free(result);
}

static void test_bench_with_many_clients(void **state)
{
	struct client_options options = start_frontend(20000, SCRIPT(DONE));
	struct load_result *result = run_load(&options, 100, 5000);

	(void)state;
	assert_int_equal(result->orders, 5000);
	assert_int_equal(script->calls, 5000);
	assert_int_equal(result->latency_us.total, 5000);
	free(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bench_asks_again_and_counts_each_order_once),
		cmocka_unit_test(test_bench_counts_refusals_and_unknowns),
		cmocka_unit_test(test_bench_logs_no_void),
		cmocka_unit_test(test_bench_ends_without_an_order),
		cmocka_unit_test(test_bench_cut_off_is_unknown),
		cmocka_unit_test(test_bench_draws_fresh_clients),
		cmocka_unit_test(test_bench_reads_are_never_unknown),
		cmocka_unit_test(test_bench_with_many_clients),
	};

	return cmocka_run_group_tests(tests, start_script, NULL);
}
