#include "tests/unit/support_answers.h"

#include <stdio.h>

#include "rpc/base/must.h"
#include "rpc/net/server.h"
#include "rpc/replica.h"

struct kept_answer kept_answer;

void __wrap_rpc_call_reply(struct rpc_call *call, xdrproc_t encode, const void *result);

void __wrap_rpc_call_reply(struct rpc_call *call, xdrproc_t encode, const void *result)
{
	const jh_submit_result *answer = result;
	const jh_problem *problem = &answer->result.jh_write_result_u.problem;
	uint32_t count = kept_answer.count + 1;

	(void)call;
	must(encode == (xdrproc_t)xdr_jh_submit_result);
	kept_answer = (struct kept_answer){.count = count, .outcome = answer->result.outcome};
	if (answer->result.outcome == JH_DONE) {
		kept_answer.final = answer->result.jh_write_result_u.done.basis.final;
		kept_answer.op = answer->result.jh_write_result_u.done.basis.op;
		kept_answer.became.kind = answer->result.jh_write_result_u.done.answer.kind;
		return;
	}
	kept_answer.final = problem->basis.final;
	kept_answer.op = problem->basis.op;
	kept_answer.reason = problem->reason;
	kept_answer.has_became = problem->became != NULL;
	if (problem->became != NULL)
		kept_answer.became = *problem->became;
	kept_answer.values_count = problem->values.values_len;
	if (problem->values.values_len > 0)
		kept_answer.value = problem->values.values_val[0];
	snprintf(kept_answer.text, sizeof kept_answer.text, "%.*s", (int)problem->error.jh_text_len, problem->error.jh_text_val);
}
