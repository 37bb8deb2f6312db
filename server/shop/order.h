/* The operation "order": its row of the table of operations. */
#pragma once

#include "server/machine/operation.h"

extern const struct operation order_operation;
