/* The text of view.json: {format, manager, cluster, generation, name, view, in_use, keeper: {epoch, uuid}, maker, primary,
 * members: [{id, uuid, address}], expected: [{id, lost_us}], other_state: [{id, uuid, differs_op, equal_op}], digest}.
 * format is of this file, in_use of the cluster; other_state lists the members that compute another state than the primary.
 * The digest is over all the rest, so that a flipped bit is damage and not another view. */
#pragma once

#include <stddef.h>

#include "frontend/views/views.h"

#define VIEW_FILE_FORMAT 3

enum view_file_verdict {
	VIEW_FILE_GOOD,
	VIEW_FILE_DAMAGED,
	VIEW_FILE_NEWER,   /* of a format this version does not know, */
	VIEW_FILE_OLDER    /* or does not read any more: neither is lost */
};

/* malloc'ed, NUL-terminated. */
char *view_file_write(const struct views_stored *stored);

/* why: one line unless good. */
enum view_file_verdict view_file_read(const char *text, size_t size, struct views_stored *stored, char *why,
				      size_t why_size);
