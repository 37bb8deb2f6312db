#include "rpc/cluster/figures_wire.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

_Static_assert(JH_FIGURES_MAX == FIGURES_MAX, "one bound, two files");
_Static_assert(JH_FIGURE_NAME_MAX == FIGURE_NAME_SIZE - 1, "one bound, two files");

void figures_to_wire(const struct figures *figures, u_int *length, jh_figure **list)
{
	must(figures->count <= FIGURES_MAX);
	*length = figures->count;
	*list = NULL;
	if (figures->count == 0)
		return;
	*list = calloc(figures->count, sizeof **list);
	must_allocate(*list);
	for (uint32_t i = 0; i < figures->count; i++) {
		jh_figure *to = &(*list)[i];

		to->name.name_val = strdup(figures->list[i].name);
		must_allocate(to->name.name_val);
		to->name.name_len = (u_int)strlen(to->name.name_val);
		to->value = figures->list[i].value;
	}
}

bool figures_from_wire(const jh_figure *list, u_int length, struct figures *figures)
{
	memset(figures, 0, sizeof *figures);
	if (length > FIGURES_MAX)
		return false;
	for (u_int i = 0; i < length; i++) {
		char name[FIGURE_NAME_SIZE] = "";

		if (!figure_name_good(list[i].name.name_val, list[i].name.name_len))
			return false;
		memcpy(name, list[i].name.name_val, list[i].name.name_len);
		figures_set(figures, name, list[i].value);
		if (figures->count != i + 1)
			return false; /* the name was there before */
	}
	return true;
}
