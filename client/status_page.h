/* The text of a status, fitted to who reads it: a terminal of so many columns, and no more rows than it has where the page
 * is drawn again and again. Nothing is cut: what does not fit is left out whole, and counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "rpc/frontend.h"

struct status_page {
	size_t columns; /* 0: any number, each fact on one line */
	size_t rows;    /* 0: any number; else columns is not 0 either */
	bool colour;
};

/* heading: lines that are always shown; the first begins with the health. advice: lines, one for each thing to know or to
 * do. Between them the table of replicas; who is left out of it serves as a backup, as long as there are others. */
void status_page_print(FILE *out, const struct status_page *page, const struct jh_cluster_status *status,
		       const char *heading, const char *advice);
