/* Private to registry.c and registry_async.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rpc/net/registry.h"

#define REGISTRY_PATIENCE_US 500000u /* for one query to the local rpcbind */

/* Removes our own entry if it still has `address`. deadline_us: of the whole call. */
void registry_unset_by(uint32_t program, uint32_t version, const char *address, uint64_t deadline_us);

/* Registers (program, version) at a numeric address ("127.0.0.1:40001" -> netid tcp, "[::1]:40001" -> tcp6) with the
 * local rpcbind. An entry of another address is first called (procedure 0, 500 ms): if it answers, be it with an error,
 * it stays (rule 20); else it is unset and replaced. patience_us: for each answer of rpcbind. Gives up with
 * REGISTRY_SLOW when cancel_fd becomes readable (0: none). */
enum registry_set_result registry_set_by(uint32_t program, uint32_t version, const char *address, uint64_t patience_us,
					 int cancel_fd, char *error, size_t error_size);
