/* Purpose: the command that repeats a request, pasted into sh as it was printed, sends the same request to the same
 * cluster in the same way, whatever options were given, from the command line or the environment; and the command that
 * cancels it cancels that request there. It walks the option tables of `order`: an option without a sample here fails it.
 * The real client, against a front-end of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/command.h"
#include "client/environment.h"
#include "tests/unit/support_frontend.h"
#include "tests/unit/support_scratch.h"

#define CLUSTER_BASE 540004096u
#define WORDS 16
#define CALL_MAX 8192
#define KEY_SIZE 24 /* client id and request number, with which a call begins */
#define CANCELS "  justhungry cancel "

/* In memory that test and front-end share. */
static struct script {
	bool silent;  /* the order stays in doubt; else it is placed */
	bool refuses; /* with a time in its text */
	unsigned int calls;
	jh_operation_kind kind; /* of the first call */
	uint32_t timeout_ms;    /* the same */
	u_int size;
	char call[CALL_MAX]; /* its other arguments, as they travel */
	char address[FRONTEND_ADDRESS_SIZE];
} *script;

static char scratch[SCRATCH_PATH_SIZE], build[SCRATCH_PATH_SIZE];

/* --- the front-end ---------------------------------------------------------------------------------------------- */

bool_t place_order_2_svc(jh_place_args *args, jh_write_result *result, struct svc_req *request)
{
	uint32_t timeout_ms = args->timeout_ms;
	XDR xdr;

	(void)request;
	memset(result, 0, sizeof *result);
	if (script->calls == 0) {
		script->kind = args->operation.kind;
		script->timeout_ms = timeout_ms;
		args->timeout_ms = 0;
		xdrmem_create(&xdr, script->call, sizeof script->call, XDR_ENCODE);
		if (!xdr_jh_place_args(&xdr, args))
			_exit(1);
		script->size = xdr_getpos(&xdr);
		args->timeout_ms = timeout_ms;
	}
	script->calls++;
	if (script->silent)
		return FALSE;
	if (script->refuses) {
		result->outcome = JH_REFUSED;
		return frontend_complains(&result->jh_write_result_u.problem, JH_REASON_NONE,
					  "lost since 2026-11-30T19:27:14Z");
	}
	return args->operation.kind == JH_OPERATION_VOID ? frontend_voids(result) : frontend_places(result);
}

/* --- the client ------------------------------------------------------------------------------------------------- */

static _Noreturn void become(char *const *argv)
{
	char path[2 * SCRATCH_PATH_SIZE];

	snprintf(path, sizeof path, "%s/client:%s", build, getenv("PATH"));
	setenv("PATH", path, 1);
	if (chdir(scratch) != 0 || !freopen("out", "w", stdout) || !freopen("err", "w", stderr) ||
	    !freopen("/dev/null", "r", stdin))
		_exit(127);
	execvp(argv[0], argv);
	_exit(127);
}

/* Starts argv; returns its pid. The environment's variables are as given, NULL: not set. */
static pid_t run(char *const *argv, const char *frontend, const char *base)
{
	pid_t pid;

	script->calls = 0;
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	unsetenv(ENVIRONMENT_FRONTEND);
	unsetenv(ENVIRONMENT_PROGRAM_BASE);
	if (frontend)
		setenv(ENVIRONMENT_FRONTEND, frontend, 1);
	if (base)
		setenv(ENVIRONMENT_PROGRAM_BASE, base, 1);
	become(argv);
}

static int ends(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The output, to be freed. */
static char *printed(const char *name)
{
	char path[SCRATCH_PATH_SIZE + 8], *text = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", scratch, name);
	file = fopen(path, "r");
	assert_non_null(file);
	if (getdelim(&text, &size, '\0', file) < 0)
		text = strcpy(realloc(text, 1), "");
	fclose(file);
	return text;
}

static bool is_json(void)
{
	char *out = printed("out");
	bool json = out[0] == '{';

	free(out);
	return json;
}

/* The order is under way, and its client is told to end: it must print the command that repeats it. */
static char *in_doubt(char *const *argv, const char *frontend, const char *base)
{
	pid_t pid;

	script->silent = true;
	pid = run(argv, frontend, base);
	while (!*(volatile unsigned int *)&script->calls) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			fail_msg("the client ended at once: %s", printed("err"));
		usleep(1000);
	}
	kill(pid, SIGTERM);
	assert_int_equal(ends(pid), EXIT_UNKNOWN);
	return printed("err");
}

static void asks_the_same(char *line, const struct script *first, bool json)
{
	char *sh[] = {(char *)"sh", (char *)"-c", line, NULL}, *err;
	int status;

	script->silent = false;
	/* The command may be pasted into another environment. */
	status = ends(run(sh, "127.0.0.1:1", "1"));
	err = printed("err");
	if (status != EXIT_DONE || !script->calls)
		fail_msg("%s: status %d: %s", line, status, err);
	free(err);
	if (strncmp(line, CANCELS, strlen(CANCELS)) == 0) {
		assert_int_equal(script->kind, JH_OPERATION_VOID);
		if (memcmp(script->call, first->call, KEY_SIZE) != 0)
			fail_msg("%s: cancels another request", line);
	} else {
		assert_int_equal(script->size, first->size);
		if (memcmp(script->call, first->call, first->size) != 0)
			fail_msg("%s: asks another request", line);
	}
	/* Some of the time is used up when it is sent. */
	assert_in_range(script->timeout_ms, first->timeout_ms / 2, first->timeout_ms * 2);
	assert_int_equal(is_json(), json);
}

/* Each command that the client printed: what asks again, and what cancels. */
static void survives(char *const *argv, const char *frontend, const char *base)
{
	char *err = in_doubt(argv, frontend, base), *line = err;
	struct script first = *script;
	bool json = is_json();
	unsigned int commands_count = 0;

	while ((line = strstr(line, "\n  justhungry ")) != NULL) {
		char *end = strchr(line + 1, '\n');

		assert_non_null(end);
		*end = '\0';
		asks_the_same(line + 1, &first, json);
		*end = '\n';
		line = end;
		commands_count++;
	}
	if (commands_count < 2)
		fail_msg("no command asks again, or none cancels: %s", err);
	free(err);
}

/* --- the options ------------------------------------------------------------------------------------------------ */

#define CLIENT "12345678-9abc-4def-8123-456789abcdef"

/* The options of one call, and its words; WHERE is the cluster. */
static const char *const samples[][WORDS] = {
	{"--customer", "Ada", "DH1 3LE", "pizza"},
	{"--customer", "it's", "DH1 3LE", "chef's \"own\" $(reboot) `id` \\ *"},
	{"--customer", "two  blanks ", "dh13le", " jalape\xc3\xb1o \xe5\xaf\xbf\xe5\x8f\xb8", "#1", "!x", "~", "a=b"},
	{"--customer", "-x", "--", "-1", "--customer", "-", "--"},
	{"--customer", "", "DH1 3LE", "pizza"},
	{"--client-id", CLIENT, "--request", "18446744073709551615", "DH1 3LE", "pizza"},
	{"--request", "7", "--client-id", CLIENT, "--", "DH1 3LE", "-x"},
	{"--file", "it's an order.txt"},
	{"--file", "-b\x1b[31m\xff.txt", "--customer", "Ada's", "--client-id", CLIENT, "--request", "41"},
	{"--timeout", "86399.999", "DH1 3LE", "pizza"},
	{"--timeout", "50.001", "--json", "DH1 3LE", "pizza"},
	{"--json", "--customer", "Ada", "DH1 3LE", "pizza"},
	{"--frontend", "WHERE", "DH1 3LE", "pizza"},
	{"--program-base", "540004096", "DH1 3LE", "pizza"},
};

static const char *word_of(const char *word)
{
	return strcmp(word, "WHERE") == 0 ? script->address : word;
}

static bool gives(const char *const *sample, const char *option)
{
	for (int i = 0; i < WORDS && sample[i]; i++)
		if (strcmp(sample[i], option) == 0)
			return true;
	return false;
}

static void test_every_option_survives(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		char *argv[2 * WORDS] = {(char *)"justhungry", (char *)"order", (char *)"--frontend", script->address,
					 (char *)"--program-base", (char *)"540004096"};
		int argc = 6;

		for (int k = 0; k < WORDS && samples[i][k]; k++)
			argv[argc++] = (char *)word_of(samples[i][k]);
		survives(argv, NULL, NULL);
	}
}

static void test_the_environment_survives(void **state)
{
	char *argv[] = {(char *)"justhungry", (char *)"order", (char *)"DH1 3LE", (char *)"pizza", NULL};
	char *base[] = {(char *)"justhungry", (char *)"--program-base", (char *)"540004096", (char *)"order",
			(char *)"DH1 3LE", (char *)"pizza", NULL};

	(void)state;
	survives(argv, script->address, "540004096");
	survives(base, script->address, "none that counts");
	/* A default must be written out where the environment differs. */
	base[2] = (char *)"540000000";
	survives(base, script->address, "1");
}

static void walk(const struct argp_option *option)
{
	char name[64];

	for (; option->name || option->key || option->doc; option++) {
		bool sampled = !option->name;

		snprintf(name, sizeof name, "--%s", option->name ? option->name : "");
		for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
			sampled |= gives(samples[i], name);
		if (!sampled)
			fail_msg("no sample gives %s: does the command that asks again repeat it?", name);
	}
}

static void test_no_option_is_forgotten(void **state)
{
	(void)state;
	walk(command_order_argp.options);
	walk(command_global_argp.options);
}

/* One line of a terminal is one command. */
static void test_a_line_break_is_refused(void **state)
{
	char *argv[] = {(char *)"justhungry", (char *)"order", (char *)"--file", (char *)"a\nb", NULL};
	char *err;

	(void)state;
	assert_int_equal(ends(run(argv, script->address, NULL)), EXIT_USAGE);
	err = printed("err");
	assert_non_null(strstr(err, "line break"));
	free(err);
}

static void complains(const char *frontend, const char *base, const char *variable)
{
	char *argv[] = {(char *)"justhungry", (char *)"order", (char *)"DH1 3LE", (char *)"pizza", NULL};
	char *help[] = {(char *)"justhungry", (char *)"--help", NULL};
	char *err;

	assert_int_equal(ends(run(argv, frontend, base)), EXIT_USAGE);
	err = printed("err");
	assert_non_null(strstr(err, variable));
	assert_int_equal(strchr(err, '\n')[1], '\0');
	assert_int_equal(script->calls, 0);
	free(err);
	assert_int_equal(ends(run(help, frontend, base)), EXIT_DONE);
}

static void test_a_bad_environment_is_named(void **state)
{
	static const char *const no_base[] = {"x", "0", "-1", "1.5", "4294967295", " 7", "99999999999999999999"};
	static const char *const no_host[] = {" ", "a b", "a\nb", "http://a", "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof no_base / sizeof *no_base; i++)
		complains(script->address, no_base[i], ENVIRONMENT_PROGRAM_BASE);
	for (size_t i = 0; i < sizeof no_host / sizeof *no_host; i++)
		complains(no_host[i], NULL, ENVIRONMENT_FRONTEND);
}

/* Empty counts as not set; and an invalid host is reported with the variable's name once it is used. */
static void test_an_empty_environment_is_none(void **state)
{
	char *argv[] = {(char *)"justhungry", (char *)"--frontend", script->address, (char *)"--program-base",
			(char *)"540004096", (char *)"order", (char *)"DH1 3LE", (char *)"pizza", NULL};
	char *unasked[] = {(char *)"justhungry", (char *)"--timeout", (char *)"0.5", (char *)"order", (char *)"DH1 3LE",
			   (char *)"pizza", NULL};
	char *err;

	(void)state;
	script->silent = false;
	assert_int_equal(ends(run(argv, "", "")), EXIT_DONE);
	assert_int_equal(ends(run(unasked, "no-such-host.invalid", NULL)), EXIT_UNAVAILABLE);
	err = printed("err");
	assert_non_null(strstr(err, ENVIRONMENT_FRONTEND));
	free(err);
}

/* The front-end's UTC times are shown in local time, those of orders as well as others. */
static void test_why_not_is_told_in_local_time(void **state)
{
	char *argv[] = {(char *)"justhungry", (char *)"order", (char *)"DH1 3LE", (char *)"pizza", NULL};
	char *err;

	(void)state;
	script->silent = false;
	script->refuses = true;
	setenv("TZ", "XYZ-9", 1);
	assert_int_equal(ends(run(argv, script->address, NULL)), EXIT_REFUSED);
	unsetenv("TZ");
	script->refuses = false;
	err = printed("err");
	assert_string_equal(err, "justhungry: lost since 2026-12-01 04:27:14+09:00\n");
	free(err);
}

/* "help help" is not missing from its own list. */
static void test_help_of_help_is_the_whole_help(void **state)
{
	char *help[] = {(char *)"justhungry", (char *)"help", NULL, NULL};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *out;

		assert_int_equal(ends(run(help, NULL, NULL)), EXIT_DONE);
		out = printed("out");
		assert_non_null(strstr(out, "switchover"));
		free(out);
		help[2] = help[1];
	}
}

/* --- set-up ----------------------------------------------------------------------------------------------------- */

static int write_orders(const char *name)
{
	char path[SCRATCH_PATH_SIZE + 32];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", scratch, name);
	file = fopen(path, "w");
	if (!file)
		return -1;
	fputs("# one order\nDH1 3LE\tit's pizza\t-soup\n", file);
	return fclose(file);
}

static int set_up(void **state)
{
	ssize_t size = readlink("/proc/self/exe", build, sizeof build - 1);

	(void)state;
	for (int i = 0; i < 3 && size > 0; i++) /* tests/unit/NAME */
		while (size > 0 && build[--size] != '/')
			;
	build[size > 0 ? size : 0] = '\0';
	scratch_new(scratch);
	script = shared_with_frontend(sizeof *script);
	if (!script || write_orders("it's an order.txt") || write_orders("-b\x1b[31m\xff.txt"))
		return 1;
	fork_frontend(script->address, CLUSTER_BASE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stop_frontend();
	scratch_remove(scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_option_survives),
		cmocka_unit_test(test_the_environment_survives),
		cmocka_unit_test(test_no_option_is_forgotten),
		cmocka_unit_test(test_a_line_break_is_refused),
		cmocka_unit_test(test_a_bad_environment_is_named),
		cmocka_unit_test(test_an_empty_environment_is_none),
		cmocka_unit_test(test_why_not_is_told_in_local_time),
		cmocka_unit_test(test_help_of_help_is_the_whole_help),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
