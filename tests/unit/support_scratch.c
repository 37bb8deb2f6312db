#include "tests/unit/support_scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/base/must.h"

#define OPEN_AT_ONCE 8

void scratch_new(char *path)
{
	const char *where = getenv("TMPDIR");
	int size = snprintf(path, SCRATCH_PATH_SIZE, "%s/jh-unit-XXXXXX", where != NULL ? where : "/tmp");

	must(size < SCRATCH_PATH_SIZE);
	must(mkdtemp(path) != NULL);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void scratch_remove(const char *path)
{
	must(nftw(path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS) == 0);
}
