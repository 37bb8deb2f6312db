/* Private to registry.c and registry_async.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rpc/net/registry.h"

#define REGISTRY_PATIENCE_US 500000u /* for one query to the local rpcbind */

/* registry_unset with a deadline for the whole call. */
void registry_unset_by(uint32_t program, uint32_t version, const char *address, uint64_t deadline_us);

/* registry_set with a time limit for each answer; gives up with REGISTRY_SLOW when cancel_fd becomes readable (0:
 * none). */
enum registry_set_result registry_set_by(uint32_t program, uint32_t version, const char *address, uint64_t patience_us,
					 int cancel_fd, char *error, size_t error_size);
