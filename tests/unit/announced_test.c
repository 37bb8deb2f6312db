/* Replicas that announce themselves and are never found are named, except those that are found or have been silent
 * since; and announcements of strangers take no more than their few places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "frontend/announced.h"

#define WAIT_US 2500000

static uint32_t found; /* by discovery */

static bool known(void *context, uint32_t id)
{
	(void)context;
	return id == found;
}

static void says(struct announced *announced, uint64_t now_us, const char *words)
{
	char text[300];

	announced_explain(announced, now_us, WAIT_US, known, NULL, text, sizeof text);
	assert_string_equal(text, words);
}

static void who_is_never_found_is_named(void **state)
{
	struct announced *announced = announced_new();

	(void)state;
	found = 0;
	says(announced, 1, "");
	announced_heard(announced, 4, "192.0.2.4:4000", "192.0.2.4:999", 1000000);
	says(announced, 3000000, ""); /* discovery still has time */
	says(announced, 4000000, "; replica 4 at 192.0.2.4 is not in --replica-hosts");
	/* Again: the time since when does not start over. Loopback and wildcards stand for the address that the call
	 * came from. */
	announced_heard(announced, 4, "192.0.2.4:4000", "192.0.2.4:999", 4100000);
	announced_heard(announced, 5, "0.0.0.0:4000", "[2001:db8::5]:999", 4100000);
	announced_heard(announced, 6, "127.0.0.1:4000", "192.0.2.6:999", 4100000);
	says(announced, 4200000, "; replica 4 at 192.0.2.4 is not in --replica-hosts");
	says(announced, 7000000, "; replica 4 at 192.0.2.4 is not in --replica-hosts; replica 5 at [2001:db8::5] is not in "
				 "--replica-hosts; replica 6 at 192.0.2.6 is not in --replica-hosts");
	found = 4;
	announced_heard(announced, 4, "192.0.2.4:4000", "192.0.2.4:999", 30000000);
	says(announced, 40000000, ""); /* found; and no other has announced itself for long */
	announced_free(announced);
}

/* Rule 19. */
static void strangers_take_no_room(void **state)
{
	struct announced *announced = announced_new();
	char small[60];

	(void)state;
	found = 0;
	for (uint32_t id = 1; id <= 4095; id++)
		announced_heard(announced, id, "192.0.2.4:4000", "192.0.2.4:999", 1000000 + id);
	announced_explain(announced, 10000000, WAIT_US, known, NULL, small, sizeof small);
	assert_true(strlen(small) < sizeof small);
	assert_non_null(strstr(small, "is not in --replica-hosts"));
	announced_free(announced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_never_found_is_named),
		cmocka_unit_test(strangers_take_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
