/* Replicas that announce themselves while discovery does not ask their host: named in status, so that no operator waits
 * for them in vain. Nothing connects to them: --replica-hosts alone says which hosts are asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct announced;

struct announced *announced_new(void);
void announced_free(struct announced *announced);

/* address: as the replica says it; from: where the call came from, which stands for it when it is loopback or a
 * wildcard. */
void announced_heard(struct announced *announced, uint32_t id, const char *address, const char *from, uint64_t now_us);

/* Whether discovery finds this id, or it answers us. */
typedef bool (*announced_known_fn)(void *context, uint32_t id);

/* "; replica 4 at 192.0.2.4 is not in --replica-hosts" for each that announced itself first at least wait_us ago, still
 * does so, and is not known. Empty: none. */
void announced_explain(struct announced *announced, uint64_t now_us, uint64_t wait_us, announced_known_fn known,
		       void *context, char *text, size_t size);
