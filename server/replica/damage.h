/* Damaged data (RULE 14): nothing is thrown away and nothing is served; the view manager decides what becomes of us. */
#pragma once

#include "server/replica/state.h"

void replica_damaged(struct replica *r, const char *why);
