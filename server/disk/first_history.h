/* The initial state of a new directory: the orders the replica was loaded with, as its first snapshot. */
#pragma once

#include <stdint.h>

struct machine;

/* initial_orders: a file; NULL: compiled in. Ends the process with one line on failure. The history is stored before
 * anything refers to it, because at the next start the options, or the compiled-in orders, may differ. */
struct machine *first_history_begin(const char *data_dir, const char *initial_orders, uint64_t orders_max);
