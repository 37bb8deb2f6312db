#include "rpc/base/must.h"

#include <unistd.h>

#include "rpc/base/log.h"

static void (*failure_dump)(void *context);
static void *failure_context;

void must_on_failure(void (*dump)(void *context), void *context)
{
	failure_dump = dump;
	failure_context = context;
}

void must_failed(const char *condition, const char *file, int line, const char *function)
{
	log_plain(STDERR_FILENO, "broken invariant: %s at %s:%d in %s: this is a bug in Just Hungry, please report it", condition,
		  file, line, function);
	if (failure_dump != NULL) {
		void (*dump)(void *) = failure_dump;

		failure_dump = NULL;
		dump(failure_context);
	}
	log_flush();
	abort();
}
