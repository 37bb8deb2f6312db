#include "frontend/views/operator_request.h"

#include "frontend/views/actions.h"

void vm_request_open(struct views *v, struct operator_request *request, uint64_t token, uint32_t id)
{
	must(!request->open);
	*request = (struct operator_request){.open = true, .token = token, .id = id,
					     .until_ms = v->now_ms + OPERATOR_WAIT_MS};
}

bool vm_request_waits(struct views *v, struct operator_request *request, const char *what, bool *answered)
{
	*answered = false;
	if (request->view == VIEW_PROPOSED && v->ticket == 0)
		request->view = 0; /* it could not be stored: try again */
	if (v->now_ms < request->until_ms)
		return true;
	request->open = false;
	*answered = request->tried;
	if (request->tried)
		vm_answer(v, request->token, VIEWS_UNSURE,
			  "the front-end cannot write its directory: whether %s is not known yet", what);
	return false;
}

void vm_request_close_all(struct views *v, const char *why)
{
	struct operator_request *requests[] = {&v->switchover, &v->promotion, &v->removal, &v->upgrade};

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		if (requests[i]->open && (requests[i]->view != 0 || requests[i]->tried))
			vm_answer(v, requests[i]->token, VIEWS_UNSURE, "%s", why);
		else if (requests[i]->open)
			vm_answer(v, requests[i]->token, VIEWS_REFUSED, "%s", why);
		requests[i]->open = false;
	}
}
