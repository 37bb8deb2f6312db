#include "frontend/views/id_list.h"

#include <stdio.h>

void vm_id_list_add(struct id_list *list, uint32_t id)
{
	uint32_t place = list->count;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->ids[i] == id)
			return;
	}
	if (list->count == LIMIT_REPLICAS)
		return;
	while (place > 0 && list->ids[place - 1] > id) {
		list->ids[place] = list->ids[place - 1];
		place--;
	}
	list->ids[place] = id;
	list->count++;
}

const char *vm_id_list_text(const struct id_list *list, char text[static VIEWS_TEXT_SIZE])
{
	size_t used = (size_t)snprintf(text, VIEWS_TEXT_SIZE, list->count == 1 ? "replica" : "replicas");

	if (list->count == 0)
		snprintf(text, VIEWS_TEXT_SIZE, "no replica");
	for (uint32_t i = 1; i < list->count; i++)
		must(list->ids[i - 1] < list->ids[i]);
	/* 64 ids of 4 digits and ", " fit by far. */
	for (uint32_t i = 0; i < list->count && used + 8 < VIEWS_TEXT_SIZE; i++)
		used += (size_t)snprintf(text + used, VIEWS_TEXT_SIZE - used, i == 0 ? " %u" : ", %u", list->ids[i]);
	return text;
}
