/* The folds of all kinds of operation: each row of the table has a place for what it keeps. */
#pragma once

#include "server/machine/operation.h"

/* What the fold_new of this row returned. */
void *shop_fold(const struct shop *shop, const struct operation *operation);
