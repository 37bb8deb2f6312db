/* Why no replica serves, in words. */
#pragma once

#include "frontend/views/state.h"

void vm_explain(struct views *v, char text[static VIEWS_TEXT_SIZE]);
