/* A row's state is parsed from its text in one place: the texts that replicas and front-ends write are the ones it
 * knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/row_state.h"
#include "rpc/cluster/convert.h"

static enum row_state read_back(const struct report *report, enum replica_role role, const char *note)
{
	jh_replica_row row;
	enum row_state state;

	convert_row(2, report, role, true, "10.0.0.2:1", 5, note, &row);
	state = row_state(&row);
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	return state;
}

static void states_are_read_back(void **state)
{
	static const enum row_state expected[] = {[STATE_SERVING] = ROW_SERVING,
						  [STATE_SETTLING] = ROW_SETTLING,
						  [STATE_FOLLOWING] = ROW_FOLLOWING,
						  [STATE_DAMAGED] = ROW_OTHER};

	(void)state;
	for (unsigned int i = STATE_IDLE; i <= STATE_DAMAGED; i++) {
		struct report report = {.id = 2, .state = (enum replica_state)i, .detail = "the disk"};

		assert_int_equal(read_back(&report, ROLE_BACKUP, ""), expected[i]);
	}
}

static void who_is_down_and_answers_otherwise(void **state)
{
	(void)state;
	assert_int_equal(read_back(NULL, ROLE_DOWN, OTHER_FORMAT_TEXT " 3: upgrade it"), ROW_ANSWERS_OTHERWISE);
	assert_int_equal(read_back(NULL, ROLE_DOWN, REFUSED_HELLO_TEXT ": program base 1"), ROW_ANSWERS_OTHERWISE);
	assert_int_equal(read_back(NULL, ROLE_DOWN, OTHER_PROCESS_TEXT " at 10.0.0.2:1"), ROW_ANSWERS_OTHERWISE);
	assert_int_equal(read_back(NULL, ROLE_DOWN, "nobody listens at 10.0.0.2:1"), ROW_OTHER);
	assert_int_equal(read_back(NULL, ROLE_DOWN, "serving no longer"), ROW_OTHER);
	assert_int_equal(read_back(NULL, ROLE_DOWN, "not registered"), ROW_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_read_back),
		cmocka_unit_test(who_is_down_and_answers_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
