/* Purpose: `status` fits the terminal, at 60, 80, 120 and 200 columns, without cutting a word, an address or a command
 * to type; where a page must fit a screen, what is left out is counted, and replicas that are down stay on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/layout.h"
#include "client/status_view.h"
#include "client/text.h"
#include "rpc/cluster/convert.h"

#define REPLICAS 20

static struct jh_replica_row rows[REPLICAS];

static jh_figure row_figures[] = {{{6, (char[]){"orders"}}, 13480}, {{8, (char[]){"uptime_s"}}, 185},
				  {{6, (char[]){"queued"}}, 7}};
static jh_figure own_figures[] = {{{6, (char[]){"queued"}}, 0}, {{8, (char[]){"uptime_s"}}, 61}, {{6, (char[]){"newest"}}, -1}};

static jh_text text_of(const char *text)
{
	return (jh_text){.jh_text_val = (char *)(uintptr_t)text, .jh_text_len = (u_int)strlen(text)};
}

static jh_address address_of(const char *text)
{
	return (jh_address){.jh_address_val = (char *)(uintptr_t)text, .jh_address_len = (u_int)strlen(text)};
}

static struct jh_replica_row row_of(uint32_t id, jh_role role, const char *state, const char *address)
{
	struct jh_replica_row row = {
		.id = id,
		.role = role,
		.op = 13487,
		.commit = 13487,
		.digest_op = 13487,
		.age_ms = 12,
		.push = text_of(role == JH_ROLE_BACKUP ? "delta 311" : ""),
		.state = text_of(state),
		.address = address_of(address),
		.figures = {3, row_figures},
	};

	if (role == JH_ROLE_DOWN)
		row.age_ms = UINT64_MAX;
	return row;
}

/* A primary, a backup far away, and one that is down for a reason. */
static struct jh_cluster_status three(void)
{
	rows[0] = row_of(1, JH_ROLE_PRIMARY, "serving", "127.0.0.1:40231");
	rows[1] = row_of(2, JH_ROLE_BACKUP, "following", "[2001:db8:85a3::8a2e:370:7334]:40231");
	rows[2] = row_of(3, JH_ROLE_DOWN, "ended: cannot write the journal: no space left on device", "10.0.0.3:40231");
	return (struct jh_cluster_status){
		.health = JH_HEALTH_DEGRADED,
		.view = 7,
		.primary = 1,
		.address = address_of("127.0.0.1:38803"),
		.summary = text_of("degraded: 2 of 3 copies, replica 3 has been lost for some time and is missed"),
		.replicas = {.replicas_len = 3, .replicas_val = rows},
		.figures = {3, own_figures},
	};
}

static struct jh_cluster_status many(uint32_t down)
{
	struct jh_cluster_status status = three();

	for (uint32_t i = 0; i < REPLICAS; i++)
		rows[i] = row_of(i + 1, i == 0 ? JH_ROLE_PRIMARY : i < REPLICAS - down ? JH_ROLE_BACKUP : JH_ROLE_DOWN,
				 i == 0 ? "serving" : i < REPLICAS - down ? "following" : "not registered", "127.0.0.1:40231");
	status.replicas.replicas_len = REPLICAS;
	return status;
}

__attribute__((noinline)) /* gcc 12 sees a pointer into its frame in what it returns */
static char *show(struct jh_cluster_status status, struct status_page page)
{
	struct client_options options = client_options_default();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	options.program_base = 541000000;
	status_view_table(out, &options, &status, &page);
	fclose(out);
	return text;
}

static void shows(size_t columns, const char *expected)
{
	char *text = show(three(), (struct status_page){.columns = columns});

	assert_string_equal(text, expected);
	free(text);
}

static void test_60_columns(void **state)
{
	(void)state;
	shows(60,
	      "degraded: 2 of 3 copies, replica 3 has been lost for some\n"
	      "  time and is missed\n"
	      "view 7, primary 1, front-end 127.0.0.1:38803 up 1 m 1 s, 0\n"
	      "  queued\n"
	      "\n"
	      "ID  ROLE     STATE        AGE     OP  COMMIT\n"
	      "    DIGEST           ADDRESS\n"
	      "    ORDERS  UP       PUSH\n"
	      " 1  primary  serving    12 ms  13487   13487\n"
	      "    00000000 @13487  127.0.0.1:40231\n"
	      "     13480  3 m 5 s\n"
	      " 2  backup   following  12 ms  13487   13487\n"
	      "    00000000 @13487  [2001:db8:85a3::8a2e:370:7334]:40231\n"
	      "     13480  3 m 5 s  delta 311\n"
	      " 3  down     (below)        -      -       -\n"
	      "    -                10.0.0.3:40231\n"
	      "         -  -\n"
	      "    ended: cannot write the journal: no space left on device\n"
	      "replica 3 is down: start it with\n"
	      "justhungry-server --id 3 --data-dir DIR --program-base 541000000\n");
}

static void test_80_columns(void **state)
{
	(void)state;
	shows(80,
	      "degraded: 2 of 3 copies, replica 3 has been lost for some time and is missed\n"
	      "view 7, primary 1, front-end 127.0.0.1:38803 up 1 m 1 s, 0 queued\n"
	      "\n"
	      "ID  ROLE     STATE        AGE     OP  COMMIT  DIGEST\n"
	      "    ADDRESS                               ORDERS  UP       PUSH\n"
	      " 1  primary  serving    12 ms  13487   13487  00000000 @13487\n"
	      "    127.0.0.1:40231                        13480  3 m 5 s\n"
	      " 2  backup   following  12 ms  13487   13487  00000000 @13487\n"
	      "    [2001:db8:85a3::8a2e:370:7334]:40231   13480  3 m 5 s  delta 311\n"
	      " 3  down     (below)        -      -       -  -\n"
	      "    10.0.0.3:40231                             -  -\n"
	      "    ended: cannot write the journal: no space left on device\n"
	      "replica 3 is down: start it with\n"
	      "  justhungry-server --id 3 --data-dir DIR --program-base 541000000\n");
}

static void test_120_columns(void **state)
{
	(void)state;
	shows(120,
	      "degraded: 2 of 3 copies, replica 3 has been lost for some time and is missed\n"
	      "view 7, primary 1, front-end 127.0.0.1:38803 up 1 m 1 s, 0 queued\n"
	      "\n"
	      "ID  ROLE     STATE        AGE     OP  COMMIT  DIGEST           ADDRESS                               ORDERS  UP\n"
	      "    PUSH\n"
	      " 1  primary  serving    12 ms  13487   13487  00000000 @13487  127.0.0.1:40231                        13480  3 m 5 s\n"
	      " 2  backup   following  12 ms  13487   13487  00000000 @13487  [2001:db8:85a3::8a2e:370:7334]:40231   13480  3 m 5 s\n"
	      "    delta 311\n"
	      " 3  down     (below)        -      -       -  -                10.0.0.3:40231                             -  -\n"
	      "    ended: cannot write the journal: no space left on device\n"
	      "replica 3 is down: start it with `justhungry-server --id 3 --data-dir DIR --program-base 541000000`\n");
}

static void test_200_columns(void **state)
{
	(void)state;
	shows(200,
	      "degraded: 2 of 3 copies, replica 3 has been lost for some time and is missed\n"
	      "view 7, primary 1, front-end 127.0.0.1:38803 up 1 m 1 s, 0 queued\n"
	      "\n"
	      "ID  ROLE     STATE                                                       AGE     OP  COMMIT  DIGEST           ADDRESS                               ORDERS  UP       PUSH\n"
	      " 1  primary  serving                                                   12 ms  13487   13487  00000000 @13487  127.0.0.1:40231                        13480  3 m 5 s\n"
	      " 2  backup   following                                                 12 ms  13487   13487  00000000 @13487  [2001:db8:85a3::8a2e:370:7334]:40231   13480  3 m 5 s  delta 311\n"
	      " 3  down     ended: cannot write the journal: no space left on device      -      -       -  -                10.0.0.3:40231                             -  -\n"
	      "replica 3 is down: start it with `justhungry-server --id 3 --data-dir DIR --program-base 541000000`\n");
}

/* Whatever the width: nothing is cut, and only what is one word is wider. */
static void test_every_width(void **state)
{
	(void)state;
	for (size_t columns = 1; columns <= 220; columns++) {
		char *text = show(three(), (struct status_page){.columns = columns, .colour = true}), *rest = text;

		assert_non_null(strstr(text, "[2001:db8:85a3::8a2e:370:7334]:40231"));
		assert_non_null(strstr(text, "justhungry-server --id 3 --data-dir DIR --program-base 541000000"));
		for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
			bool command = strstr(line, "justhungry-server ") != NULL;

			assert_true(columns < 40 || command || layout_cells(line, strlen(line)) <= columns);
		}
		free(text);
	}
}

static void test_no_terminal(void **state)
{
	char *text = show(three(), (struct status_page){0});

	(void)state;
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "replica 3 is down: start it with `justhungry-server --id 3 --data-dir DIR "
				     "--program-base 541000000`\n"));
	free(text);
}

static void test_a_screen_that_is_too_small(void **state)
{
	(void)state;
	for (uint32_t down = 0; down <= 6; down += 3) {
		for (size_t screen = 6; screen <= 60; screen++) {
			char *text = show(many(down), (struct status_page){.columns = 80, .rows = screen, .colour = true});
			size_t shown = 0;
			unsigned int hidden = 0;

			assert_true(layout_rows(text, 80) <= screen);
			for (const char *at = text; (at = strstr(at, "127.0.0.1:40231")); at++)
				shown++;
			if (shown < REPLICAS) {
				const char *said = strstr(text, " not shown");

				assert_non_null(said);

				const char *end = memrchr(text, '\n', (size_t)(said - text));

				assert_int_equal(sscanf(end == NULL ? text : end + 1, "%u ", &hidden), 1);
			}
			assert_int_equal(shown + hidden, REPLICAS);
			free(text);
		}
	}
}

static void test_down_replicas_stay_on_the_screen(void **state)
{
	char *text = show(many(2), (struct status_page){.columns = 120, .rows = 16});

	(void)state;
	assert_non_null(strstr(text, "\n 1  primary  serving"));
	assert_non_null(strstr(text, "\n 2  backup   following"));
	assert_null(strstr(text, "\n15  backup   following"));
	assert_non_null(strstr(text, "\n19  down     not registered"));
	assert_non_null(strstr(text, "\n20  down     not registered"));
	assert_non_null(strstr(text, " more replicas not shown\n"));
	assert_non_null(strstr(text, "replica 20 is down: start it"));
	free(text);
}

/* Removed, never admitted, or there and refusing: no advice to start that one. */
static void test_only_missing_replicas_are_to_be_started(void **state)
{
	struct jh_cluster_status status = three();
	char *text;

	(void)state;
	status.expected = 2; /* by the newest view, which does not have replica 3 */
	text = show(status, (struct status_page){.columns = 200});
	assert_null(strstr(text, "start it"));
	free(text);
	rows[2].expected = TRUE;
	text = show(status, (struct status_page){.columns = 200});
	assert_non_null(strstr(text, "replica 3 is down: start it with"));
	free(text);
	rows[2].state = text_of("refused our hello: cluster format 3 here, 2 there: upgrade the older one");
	text = show(status, (struct status_page){.columns = 200});
	assert_null(strstr(text, "start it"));
	free(text);
}

static const char *number_at(const json_t *object, const char *key)
{
	static char text[32];
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return value == NULL ? "none" : "null";
	snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
	return text;
}

/* Figures stand under the keys that they always had, and those that this program does not know in an object of their own. */
static void test_figures_in_json(void **state)
{
	struct jh_cluster_status status = three();
	json_t *object = status_view_json(&status, NULL);
	const json_t *list = json_object_get(object, "replicas"), *row = json_array_get(list, 0);

	(void)state;
	assert_string_equal(number_at(row, "orders"), "13480");
	assert_string_equal(number_at(row, "uptime_s"), "185");
	assert_string_equal(number_at(row, "set_aside"), "null");
	assert_string_equal(number_at(row, "queued"), "none");
	assert_string_equal(number_at(json_object_get(row, "figures"), "queued"), "7");
	assert_int_equal(json_object_size(json_object_get(row, "figures")), 1);
	assert_string_equal(number_at(object, "queued"), "0");
	assert_string_equal(number_at(object, "uptime_s"), "61");
	assert_string_equal(number_at(json_object_get(object, "figures"), "newest"), "-1");
	row = json_array_get(list, 2); /* never heard of */
	assert_string_equal(number_at(row, "orders"), "null");
	assert_null(json_object_get(row, "figures"));
	json_decref(object);

	status.figures.figures_len = 2; /* nothing unknown; and no front-end at all */
	object = status_view_json(&status, NULL);
	assert_null(json_object_get(object, "figures"));
	json_decref(object);
	status.figures.figures_len = 0;
	object = status_view_json(&status, "no front-end answers");
	assert_string_equal(number_at(object, "queued"), "0");
	assert_string_equal(number_at(object, "loop_max_us"), "0");
	json_decref(object);
}

/* A list that makes no sense is as good as none. */
static void test_figures_that_make_no_sense(void **state)
{
	jh_figure twice[] = {{{6, (char[]){"orders"}}, 1}, {{6, (char[]){"orders"}}, 2}};
	struct jh_cluster_status status = three();

	(void)state;
	rows[0].figures.figures_val = twice;
	rows[0].figures.figures_len = 2;

	json_t *object = status_view_json(&status, NULL);
	const json_t *row = json_array_get(json_object_get(object, "replicas"), 0);

	assert_string_equal(number_at(row, "orders"), "null");
	assert_string_equal(number_at(row, "op"), "13487");
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_60_columns),
		cmocka_unit_test(test_80_columns),
		cmocka_unit_test(test_120_columns),
		cmocka_unit_test(test_200_columns),
		cmocka_unit_test(test_every_width),
		cmocka_unit_test(test_no_terminal),
		cmocka_unit_test(test_a_screen_that_is_too_small),
		cmocka_unit_test(test_down_replicas_stay_on_the_screen),
		cmocka_unit_test(test_only_missing_replicas_are_to_be_started),
		cmocka_unit_test(test_figures_in_json),
		cmocka_unit_test(test_figures_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
