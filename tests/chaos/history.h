/* What a run left behind: what clients asked and were told (tests/chaos/recorder.c writes it), the final history, and
 * the faults. It only reads and holds; tests/chaos/judge.h says what is wrong with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NOBODY UINT32_MAX /* client of a row that this run did not order as it stands there */
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
	uint64_t at, healed; /* the first harm, and when everything was well again */
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
 * the first line that is none of them, which is then in `line` (cut to size): a history that was not written whole
 * proves nothing. */
bool history_read(struct history *history, FILE *file, char *line, size_t line_size);
void history_free(struct history *history);
