#include "server/order_time.h"

#include "rpc/base/rule.h"

int64_t order_time_after(int64_t previous_us, int64_t clock_us)
{
	/* RULE 16: the later of our clock and the previous order's time. */
	return RULE_FORBIDS(rule_16_time_never_falls, clock_us < previous_us) ? previous_us : clock_us;
}
