#include "support_snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "support_orders.h"
#include "support_scratch.h"

char error[SNAPSHOT_ERROR_SIZE];
char directory[SCRATCH_PATH_SIZE];

int make_directory(void **state)
{
	(void)state;
	scratch_new(directory);
	return 0;
}

int empty_directory(const char *path)
{
	DIR *files = opendir(path);
	struct dirent *file;
	int count = 0;

	must(files != NULL);
	while ((file = readdir(files)) != NULL)
		if (file->d_name[0] != '.') {
			must(unlinkat(dirfd(files), file->d_name, 0) == 0);
			count++;
		}
	closedir(files);
	return count;
}

int remove_directory(void **state)
{
	(void)state;
	scratch_remove(directory);
	return 0;
}

struct machine *make_orders(uint32_t initial, uint32_t ops)
{
	struct machine *machine = machine_new(ORDERS_MAX);
	uint8_t body[LIMIT_BODY_BYTES];

	for (uint32_t i = 0; i < initial; i++) {
		size_t size = make_usual_body(body, client_number(0), 0, i);

		assert_true(machine_load(machine, body, size, error, sizeof error));
	}
	for (uint32_t i = 1; i <= ops; i++) {
		size_t size = make_usual_body(body, client_number(i), i, i * 7919u % 1000);

		assert_int_equal(machine_apply(machine, body, size), MACHINE_APPLIED);
	}
	return machine;
}

struct snapshot_summary summary_of(const struct machine *machine)
{
	return snapshot_summary_of(machine_history(machine));
}

const char *path_of(uint64_t op)
{
	static char path[256];

	assert_true(snapshot_path(directory, op, path, sizeof path));
	return path;
}

enum snapshot_outcome outcome_of(const char *path, uint64_t orders_max)
{
	struct machine *loaded;
	struct snapshot_summary summary;
	enum snapshot_outcome outcome = snapshot_load(path, orders_max, &loaded, &summary, error, sizeof error);

	assert_true((outcome == SNAPSHOT_LOADED) == (loaded != NULL));
	machine_free(loaded);
	return outcome;
}
