/* Heartbeats, suspicion and forgetting (rule 15). A replica is suspected by what comes over its connection, never by
 * rpcbind, which is for finding only (rule 17). */
#pragma once

#include "frontend/views/state.h"

void vm_liveness_dumped(struct views *v, bool complete, const uint32_t *ids, uint32_t count);
void vm_liveness_alive(struct views *v, uint32_t id, uint64_t heard_ms);
void vm_liveness_late(struct views *v);
void vm_liveness_tick(struct views *v);
uint64_t vm_liveness_deadline(struct views *v);
