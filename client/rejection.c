#include "client/rejection.h"

#include <stdio.h>

#include "rpc/base/must.h"
#include "rpc/cluster/identify.h"
#include "rpc/frontend.h"

#define ASK_MS 300

enum attempt rejection_attempt(enum rpc_status status)
{
	switch (status) {
	case RPC_LATE:
		return ATTEMPT_TIMED_OUT;
	case RPC_LOST:
	case RPC_PEER_FAILED:
		return ATTEMPT_LOST;
	case RPC_REJECTED:
		return ATTEMPT_UNAVAILABLE;
	case RPC_NOT_SERVED:
		return ATTEMPT_NOT_SENT;
	case RPC_ANSWERED:
		break;
	}
	must_not_reach("a call without an answer");
}

/* One of the two programs is older, and the versions show which. */
static void describe_versions(const struct rpc_reply *reply, const char *address, char *error, size_t error_size)
{
	char versions[48];

	if (reply->version_low == reply->version_high)
		snprintf(versions, sizeof versions, "version %u", reply->version_low);
	else
		snprintf(versions, sizeof versions, "versions %u to %u", reply->version_low, reply->version_high);
	snprintf(error, error_size,
		 "the front-end at %s rejects the call and executed nothing: it speaks %s, this is version %u: upgrade %s",
		 address, versions, JH_FRONTEND_V2,
		 reply->version_low > JH_FRONTEND_V2 ? "this justhungry" : "the front-end");
}

void rejection_describe(const struct rpc_reply *reply, const struct client_options *options, const char *address,
			char *error, size_t error_size)
{
	if (reply->status == RPC_NOT_SERVED)
		snprintf(error, error_size,
			 "what listens at %s is not the front-end of program %u (%s), and executed nothing: check "
			 "--frontend and --program-base",
			 address, options->program_base, reply->error);
	else if (reply->status == RPC_REJECTED && reply->version_high != 0)
		describe_versions(reply, address, error, error_size);
	else if (reply->status == RPC_REJECTED)
		snprintf(error, error_size,
			 "the front-end at %s rejects the call and executed nothing: %s: use a justhungry of the "
			 "front-end's version",
			 address, reply->error);
	else
		snprintf(error, error_size, "the front-end gave no answer: %s", reply->error);
}

bool rejection_of_strangers(const struct rpc_reply *reply, const struct client_options *options, const char *address,
			    char *error, size_t error_size)
{
	struct identity_told told;
	char who[IDENTIFY_TEXT];

	if (reply->status != RPC_REJECTED)
		return false;
	identify_blocking(address, options->program_base, ASK_MS, &told);
	if (told.kind != IDENTIFY_REPLICA)
		return false;
	snprintf(error, error_size,
		 "program %u at %s is %s and no front-end, and executed nothing: check --frontend and --program-base",
		 options->program_base, address, identify_text(&told, who));
	return true;
}
