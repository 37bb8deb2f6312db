/* must(x): our assert. It stays on in release builds: a broken invariant stops the process, because a replica that
 * continues with state it cannot explain may spread it. One condition each; never for anything that the network, the
 * disk or a user caused. */
#pragma once

#include <stdlib.h>

_Noreturn void must_failed(const char *condition, const char *file, int line, const char *function);

/* Called once before the process stops, with the failed condition; prints the most recent events (a trace ring). */
void must_on_failure(void (*dump)(void *context), void *context);

#define must(condition) ((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__, __func__))

/* For the place after a switch or a loop that always leaves; expected says why it cannot be reached. */
#define must_not_reach(expected) must_failed(expected, __FILE__, __LINE__, __func__)
