#include "rpc/cluster/figures.h"

#include <string.h>

#include "rpc/base/must.h"

bool figure_name_good(const char *name, size_t size)
{
	if (size == 0 || size >= FIGURE_NAME_SIZE)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '_'))
			return false;
	}
	return true;
}

void figures_set(struct figures *figures, const char *name, int64_t value)
{
	size_t size = strlen(name);
	uint32_t at = 0;

	must(figure_name_good(name, size));
	while (at < figures->count && strcmp(figures->list[at].name, name) != 0)
		at++;
	must(at < FIGURES_MAX);
	if (at == figures->count)
		memcpy(figures->list[figures->count++].name, name, size + 1);
	figures->list[at].value = value;
}

bool figures_get(const struct figures *figures, const char *name, int64_t *value)
{
	for (uint32_t i = 0; i < figures->count; i++) {
		if (strcmp(figures->list[i].name, name) == 0) {
			*value = figures->list[i].value;
			return true;
		}
	}
	return false;
}
