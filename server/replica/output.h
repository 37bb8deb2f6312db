/* What a step gives: actions, each of which must be permitted, with their texts, and lines of the trace. */
#pragma once

#include "rpc/base/log.h"
#include "server/replica/state.h"

/* The next action of this step, zeroed but for its kind; valid until the next one is taken. */
struct replica_action *replica_do(struct replica *r, enum replica_action_kind kind);
__attribute__((format(printf, 2, 3))) void replica_trace(struct replica *r, const char *format, ...);
/* To the log and the trace. */
__attribute__((format(printf, 3, 4))) void replica_say(struct replica *r, int level, const char *format, ...);
/* Valid until the next step. */
__attribute__((format(printf, 2, 3))) const char *replica_text(struct replica *r, const char *format, ...);
/* The report says something new. */
void replica_news(struct replica *r);
