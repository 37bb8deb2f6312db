/* What a replica begins with in a new directory: the orders it was loaded with, as its first snapshot. */
#pragma once

#include <stdint.h>

struct machine;

/* initial_orders: a file; NULL: compiled in. Ends the process with one line when it cannot. The history is written down
 * before anything refers to it: at the next start the options, or the orders that are compiled in, may be others. */
struct machine *first_history_begin(const char *data_dir, const char *initial_orders, uint64_t orders_max);
