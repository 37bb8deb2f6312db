/* The connection to each replica: opened, retried with a growing back-off, closed, and its heartbeats (rules 15,
 * 17). */
#pragma once

#include "frontend/views/state.h"

void vm_connection_found(struct views *v, uint32_t id, const char *address);
void vm_connection_lost(struct views *v, uint32_t id, bool refused);
/* Not tried again for retry_ms. */
void vm_connection_close(struct views *v, struct known *k, uint32_t retry_ms);
/* The replica may be bound to anybody now: its connection has ended, or its data is gone. */
void vm_connection_unbound(struct views *v, struct known *k);
/* One heartbeat, now. */
void vm_connection_beat(struct views *v, struct known *k);
/* RULE 3: did it come back with less than was acknowledged when the connection was begun? */
void vm_connection_check_floor(struct views *v, struct known *k);
/* What status and log say of a replica whose program speaks `theirs`, where in_use is in use (0: none yet). Returns text. */
const char *vm_connection_explain_format(const struct views *v, struct format_range theirs, uint32_t in_use,
					 char text[static REPORT_TEXT_SIZE]);
/* RULE 17: closes a connection whose two ends do not both speak the format that has come into use since its hello. False:
 * closed. */
bool vm_connection_check_format(struct views *v, struct known *k, uint32_t in_use);
/* Retries or gives up a connection that is not up, when that is due. */
void vm_connection_tick(struct views *v, struct known *k);
/* When it is due for a tick, while it is not up; UINT64_MAX: never. */
uint64_t vm_connection_deadline(const struct views *v, const struct known *k);
