/* What a step wants done: the one place that appends actions, each of which must be permitted. */
#pragma once

#include "frontend/views/state.h"

void vm_do_connect(struct views *v, const struct known *k);
void vm_do_disconnect(struct views *v, const struct known *k);
void vm_do_heartbeat(struct views *v, const struct known *k, bool retire);
void vm_do_bind(struct views *v, const struct known *k);
void vm_do_store(struct views *v);
void vm_do_install(struct views *v, const struct known *k);
void vm_do_route(struct views *v, const struct known *k);
void vm_do_hold(struct views *v, const char *text);
void vm_do_reset_floor(struct views *v);
void vm_do_clean(struct views *v, const struct known *k);
void vm_do_exit(struct views *v, const char *text); /* after the mode has become EXITED */

__attribute__((format(printf, 3, 4))) void vm_say(struct views *v, enum log_level level, const char *format, ...);
/* Logged only when it differs from what was said last of this replica; also becomes its note, of NOTE_ANYTHING. */
__attribute__((format(printf, 4, 5))) void vm_say_of(struct views *v, struct known *k, enum log_level level,
						  const char *format, ...);
/* A state of the whole that lasts: logged when it changes and every SAY_AGAIN_MS. */
void vm_say_state(struct views *v, const char *text);

/* The answer to an operator request: exactly one. */
void vm_answer(struct views *v, uint64_t token, enum views_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
