/* A scripted front-end, for tests of the client. */
#pragma once

#include <stdint.h>

#include "client/session.h"
#include "tests/unit/support_frontend.h"

#define STEPS_MAX 16

enum step {
	DONE,
	CLOSE,
	HOLD,
	MALFORMED,
	REFUSE,
	CONFLICT,
	SUPERSEDED,
	EXECUTED, /* what a VOID is told of an order that was placed, as op 7 */
	UNAVAILABLE,
	FULL,
	BUSY,
	UNKNOWN,
	NO_PROGRAM, /* from here on: the rejections of RFC 5531 section 9 */
	NO_VERSION,
	NO_PROCEDURE,
	GARBAGE,
	OTHER_RPC,
	CREDENTIALS,
	SYSTEM_ERROR
};

/* In memory that test and front-end share. The last step is repeated. */
struct script {
	enum step steps[STEPS_MAX];
	unsigned int steps_count;
	unsigned int calls;
	jh_place_args seen[STEPS_MAX]; /* pointers within are not valid here */
	char address[FRONTEND_ADDRESS_SIZE];
};

extern struct script *script;

/* For cmocka_run_group_tests: before all others. */
int start_script(void **state);
/* Starts the front-end with these steps: start_frontend(timeout_ms, SCRIPT(CLOSE, DONE)). Returns options for it. */
struct client_options start_frontend(uint32_t timeout_ms, unsigned int count, const enum step *steps);

/* However slow the machine, a deadline falls where the test wants it. Both are for the front-end started last, whose own
 * clock stays as it is. */

/* When so many tries have ended, and before the next: every deadline has passed. */
void clock_jumps_after(unsigned int tries);
/* No time passes until the front-end has had so many calls. */
void clock_stands_until(unsigned int calls);

#define SCRIPT(...)                                                           \
	sizeof((enum step[]){__VA_ARGS__}) / sizeof(enum step), (enum step[]) \
	{                                                                     \
		__VA_ARGS__                                                   \
	}
