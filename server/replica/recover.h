/* What the journal held, record by record, before START. The same words as at run time, but nothing is sent and
 * nothing is written: the result is the log, the view and the commit mark that were durable. */
#pragma once

#include "server/replica/state.h"

void replica_recover(struct replica *r, const struct replica_event *event);
