/* The results of a run: the clients' requests and answers (tests/chaos/recorder.c writes them), the final history, and
 * the faults. This only reads and holds them; tests/chaos/checker.h finds what is wrong with them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NO_CLIENT UINT32_MAX /* client of a row that this run did not order in that form */
#define KIND_BYTES 32

enum told { TOLD_DONE, TOLD_REFUSED, TOLD_UNAVAILABLE, TOLD_UNKNOWN };

/* Times are microseconds of one clock that all writers share. */
struct ordered {
	uint32_t client, postcode, number;
	enum told told;
	uint64_t request, asked, ended, op; /* op and number: only when DONE */
};

struct row {
	uint32_t client;
	uint64_t request, op;
};

struct reading {
	uint32_t postcode, total;
	uint64_t asked, ended, op;
	size_t first, rows; /* history->shown[first ..]: the newest orders, oldest first */
};

struct final {
	uint32_t postcode, number;
	struct row row;
};

struct fault {
	char kind[KIND_BYTES];
	uint64_t at, healed; /* when the fault began, and when everything had recovered */
};

struct history {
	struct ordered *orders;
	struct reading *reads;
	struct row *shown;
	struct final *finals;
	struct fault *faults;
	size_t orders_count, reads_count, shown_count, finals_count, faults_count;
};

/* Adds the lines of `file` to *history, which starts zeroed: those of recorder.c, and "fault KIND AT HEALED". False at
 * the first line of any other form, which is then in `line` (cut to size): an incomplete history proves nothing. */
bool history_read(struct history *history, FILE *file, char *line, size_t line_size);
void history_free(struct history *history);
