#include "server/shop/postcode_trouble.h"

#include "rpc/base/must.h"

const char *postcode_fault_name(enum postcode_fault fault)
{
	static const char *const names[] = {
		[POSTCODE_FAULT_NONE] = "none",
		[POSTCODE_FAULT_NAME] = "unresolved",
		[POSTCODE_FAULT_CONNECT] = "no-connection",
		[POSTCODE_FAULT_TLS] = "tls",
		[POSTCODE_FAULT_CERTIFICATE] = "certificate",
		[POSTCODE_FAULT_PROXY] = "proxy",
		[POSTCODE_FAULT_BROKEN] = "broken-off",
		[POSTCODE_FAULT_TIMEOUT] = "timeout",
		[POSTCODE_FAULT_TOO_LARGE] = "too-large",
		[POSTCODE_FAULT_REDIRECT] = "redirect",
		[POSTCODE_FAULT_STATUS] = "http-status",
		[POSTCODE_FAULT_ANSWER] = "not-an-answer",
	};

	must(fault < sizeof names / sizeof names[0]);
	return names[fault];
}

static bool may_say(struct postcode_trouble *trouble, uint64_t now_ms)
{
	if (trouble->spent_until_ms < now_ms)
		trouble->spent_until_ms = now_ms;
	if (trouble->spent_until_ms - now_ms > (POSTCODE_TROUBLE_LINES - 1) * POSTCODE_TROUBLE_LINE_EVERY_MS)
		return false;
	trouble->spent_until_ms += POSTCODE_TROUBLE_LINE_EVERY_MS;
	return true;
}

bool postcode_trouble_is_news(struct postcode_trouble *trouble, uint64_t now_ms, enum postcode_fault fault, long status)
{
	must(fault != POSTCODE_FAULT_NONE);
	if ((trouble->said && trouble->fault == fault && trouble->status == status) || !may_say(trouble, now_ms))
		return false;
	trouble->said = true;
	trouble->fault = fault;
	trouble->status = status;
	return true;
}

bool postcode_trouble_is_over(struct postcode_trouble *trouble)
{
	bool said = trouble->said;

	trouble->said = false;
	return said;
}
