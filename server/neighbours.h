/* Whether our program base cuts into the numbers of another cluster on this host: looked at once, and only said. */
#pragma once

#include <stdint.h>

struct event_base;
struct neighbours;
struct registry;

struct neighbours *neighbours_new(struct event_base *base, struct registry *registry, uint32_t program_base, uint32_t id);
/* After the registry. NULL is fine. */
void neighbours_free(struct neighbours *neighbours);
/* Not before registering: until then it is not known whether rpcbind answers. */
void neighbours_look(struct neighbours *neighbours);
