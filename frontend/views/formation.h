/* The first view of a new cluster (rule 18): only with --new-cluster, and only when every registered replica has
 * answered that it has never been in a view. */
#pragma once

#include "frontend/views/state.h"

void vm_formation_consider(struct views *v);
void vm_formation_explain(struct views *v, char text[static VIEWS_TEXT_SIZE]);
