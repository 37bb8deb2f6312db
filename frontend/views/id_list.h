/* A list of ids in words, "replicas 2, 3". */
#pragma once

#include "frontend/views/state.h"

struct id_list { /* begin with count 0; rising, each once */
	uint32_t count;
	uint32_t ids[LIMIT_REPLICAS];
};

void vm_id_list_add(struct id_list *list, uint32_t id);
const char *vm_id_list_text(const struct id_list *list, char text[static VIEWS_TEXT_SIZE]);
