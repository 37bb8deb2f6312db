/* What registry.c shares with registry_async.c. */
#pragma once

#include <stdint.h>

/* registry_unset with a deadline for the whole of it. */
void registry_unset_by(uint32_t program, uint32_t version, const char *address, uint64_t deadline_us);
