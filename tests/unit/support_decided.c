#include "tests/unit/support_decided.h"

#include "rpc/base/format.h"
#include "rpc/base/must.h"
#include "rpc/shop.h"
#include "server/machine/operation.h"
#include "tests/unit/support_orders.h"

static const char *const items[] = {"pizza", NULL};

size_t decided_order(void *out, uint64_t request)
{
	return make_body(out, client_number(1), request, 1, "DH1 3LE", items);
}

static size_t encode(void *out, const struct body *body)
{
	struct encoder encoder = {.at = out, .left = LIMIT_BODY_BYTES};

	body_encode_head(body, &encoder);
	must(!encoder.failed);
	return LIMIT_BODY_BYTES - encoder.left;
}

size_t decided_void(void *out, uint64_t request)
{
	const struct body body = {.format = FORMAT_LOW, .client = client_number(1), .request = request, .time_us = 1,
				  .kind = JH_OPERATION_VOID};

	return encode(out, &body);
}

/* The one kind whose content may be empty stands for any: what was forgotten has the outcome that it had. */
size_t decided_refusal(void *out, uint64_t request)
{
	const struct body body = {.format = FORMAT_LOW, .client = client_number(1), .request = request, .time_us = 1,
				  .kind = JH_OPERATION_VOID, .forgotten = true, .content_digest = digest_of("refused", 7),
				  .outcome = {.result = OUTCOME_REFUSAL, .reason = JH_REASON_BAD_REQUEST, .values_count = 1,
					      .values = {REFUSAL_VALUE}}};

	return encode(out, &body);
}

struct digest decided_content(const void *body, size_t size)
{
	struct digest content;

	must(operation_key(body, size, NULL, NULL, &content, NULL));
	return content;
}

struct machine *decided_machine(void)
{
	struct machine *machine = machine_new(100);
	uint8_t body[LIMIT_BODY_BYTES];

	must(machine_apply(machine, body, decided_order(body, REQUEST_DONE)) == MACHINE_APPLIED);
	must(machine_apply(machine, body, decided_refusal(body, REQUEST_REFUSED)) == MACHINE_APPLIED);
	must(machine_apply(machine, body, decided_void(body, REQUEST_VOIDED)) == MACHINE_APPLIED);
	return machine;
}
