/* The answer to a SUBMIT is kept here instead of being sent: whoever links this has no rpc_call_reply that sends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rpc/shop.h"

struct kept_answer {
	uint32_t count; /* of answers so far */
	jh_outcome outcome;
	jh_reason reason;
	bool final;
	uint64_t op;          /* that it shows */
	bool has_became;
	jh_became became;
	uint32_t values_count;
	int64_t value;        /* the first of them */
	char text[512];
};
extern struct kept_answer kept_answer;
