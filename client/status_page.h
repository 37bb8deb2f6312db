/* The text of a status, fitted to its reader: a terminal of so many columns, and no more rows than it has where the
 * page is redrawn repeatedly. Nothing is cut: pieces that do not fit are left out whole, and counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "rpc/frontend.h"

struct status_page {
	size_t columns; /* 0: any number, each fact on one line */
	size_t rows;    /* 0: any number; otherwise columns is not 0 either */
	bool colour;
};

/* heading: lines that are always shown; the first begins with the health. advice: lines, one for each thing to know or
 * to do. Between them stands the table of replicas; a replica left out of it serves as a backup, as long as there are
 * such. */
void status_page_print(FILE *out, const struct status_page *page, const struct jh_cluster_status *status,
		       const char *heading, const char *advice);
