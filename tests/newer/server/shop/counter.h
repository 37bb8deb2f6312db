/* The operation "counter" of a later program, for tests: adds to one of a few numbers, none of which falls below 0. */
#pragma once

#include "server/machine/operation.h"

extern const struct operation counter_operation;
