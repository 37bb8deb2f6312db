/* The time that an order is stored with (rule 16). No decision anywhere depends on it. */
#pragma once

#include <stdint.h>

/* clock_us: the primary's wall clock, which may jump; previous_us: of the order before. Both in microseconds since
 * 1970. Never before the previous order's. */
int64_t order_time_after(int64_t previous_us, int64_t clock_us);
