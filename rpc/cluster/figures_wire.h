/* Figures to and from XDR (jh_figure of rpc/frontend.x). Memory as in rpc/cluster/convert.h. */
#pragma once

#include "rpc/cluster/figures.h"
#include "rpc/frontend.h"

void figures_to_wire(const struct figures *figures, u_int *length, jh_figure **list);
/* False: too many, a name that is not good, or one that is there twice. Names that nobody here knows are kept. */
bool figures_from_wire(const jh_figure *list, u_int length, struct figures *figures);
