/* For convert.c and convert_view.c alone. */
#pragma once

#include <stddef.h>

#include "rpc/cluster/convert.h"

/* NULL for nothing. */
void *convert_copy(const void *bytes, size_t size);
void *convert_array(size_t count, size_t size);
bool convert_replica_id_good(u_int id);
/* The version of a program, as its identity and its reports have it. */
char *convert_version_dup(const char *version, u_int *length);
