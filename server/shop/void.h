/* A request that is made nothing: no content, and no effect but that nothing will ever stand under its number. It ends the doubt
 * of a client that does not know whether an earlier call may still be executed. */
#pragma once

#include "server/machine/operation.h"

extern const struct operation void_operation;
