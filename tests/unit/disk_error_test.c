/* Purpose: an error that keeps a file from being written is reported with its remedy, and the advice for a quota, a
 * limit or a read-only file system is not to free space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "rpc/base/disk_error.h"

static void each_cause_has_its_own_advice(void **state)
{
	static const struct {
		int error;
		const char *says;
	} causes[] = {
		{ENOSPC, "free space"}, {EDQUOT, "quota"}, {EROFS, "mount"}, {EIO, "dmesg"}, {EACCES, "user"},
		{EMFILE, "ulimit -n"},
	};
	char text[DISK_ERROR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
		assert_non_null(strstr(disk_error_text(causes[i].error, text), causes[i].says));
		assert_ptr_equal(strstr(text, strerror(causes[i].error)), text);
		assert_true((strstr(text, "free space") != NULL) == (causes[i].error == ENOSPC));
	}
}

/* Of its limit where this process has one; otherwise the file system's. */
static void a_file_too_large_names_whose_limit_it_is(void **state)
{
	struct rlimit before, small;
	char text[DISK_ERROR_TEXT];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	disk_error_text(EFBIG, text);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(text, "1024 KiB: raise `ulimit -f`"));
	if (before.rlim_cur == RLIM_INFINITY)
		assert_non_null(strstr(disk_error_text(EFBIG, text), "file system"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause_has_its_own_advice),
		cmocka_unit_test(a_file_too_large_names_whose_limit_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
