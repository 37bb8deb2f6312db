/* The verdict on one run: reads its history (lines of recorder.c) and its faults ("fault KIND AT HEALED") from the
 * files named, prints what it counted, and ends with
 *
 *     0  nothing is wrong, and the run proves something
 *     1  the promise was broken
 *     2  usage, or a history that is not whole
 *     3  nothing is wrong, but the cluster served too little to prove anything
 *
 * A fault counts only when 50 orders were acknowledged in the second before it and 50 in the second after it healed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "tests/chaos/checker.h"

#define SECOND_US 1000000
#define SERVED_LEAST 50
#define KINDS_MAX 64

struct tally {
	const char *kind;
	size_t injected, counted;
	uint64_t longest_us;
};

static bool served(const struct history *history, const struct fault *fault)
{
	uint64_t before = fault->at > SECOND_US ? fault->at - SECOND_US : 0;

	return acknowledged_between(history, before, fault->at) >= SERVED_LEAST &&
	       acknowledged_between(history, fault->healed, fault->healed + SECOND_US) >= SERVED_LEAST;
}

static struct tally *tally_of(struct tally *tallies, size_t *kinds, const char *kind)
{
	for (size_t i = 0; i < *kinds; i++)
		if (strcmp(tallies[i].kind, kind) == 0)
			return &tallies[i];
	must(*kinds < KINDS_MAX);
	tallies[*kinds] = (struct tally){.kind = kind};
	return &tallies[(*kinds)++];
}

/* Prints one line per kind; true when half of the faults and at least one count. */
static bool print_faults(const struct history *history)
{
	struct tally tallies[KINDS_MAX];
	size_t kinds = 0, counted = 0;

	for (size_t i = 0; i < history->faults_count; i++) {
		const struct fault *fault = &history->faults[i];
		struct tally *tally = tally_of(tallies, &kinds, fault->kind);

		tally->injected++;
		if (fault->healed - fault->at > tally->longest_us)
			tally->longest_us = fault->healed - fault->at;
		if (served(history, fault)) {
			tally->counted++;
			counted++;
		}
	}
	for (size_t i = 0; i < kinds; i++)
		printf("fault %-24s %4zu of %4zu count, longest %6.1f s\n", tallies[i].kind, tallies[i].counted,
		       tallies[i].injected, (double)tallies[i].longest_us / SECOND_US);
	printf("faults: %zu of %zu count\n", counted, history->faults_count);
	return counted > 0 && 2 * counted >= history->faults_count;
}

static void print_served(const struct history *history)
{
	size_t told[4] = {0};

	for (size_t i = 0; i < history->orders_count; i++)
		told[history->orders[i].told]++;
	printf("orders: %zu done, %zu refused, %zu unavailable, %zu unknown; %zu in the final history; reads: %zu\n",
	       told[TOLD_DONE], told[TOLD_REFUSED], told[TOLD_UNAVAILABLE], told[TOLD_UNKNOWN], history->finals_count,
	       history->reads_count);
}

static bool read_file(struct history *history, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[128] = "";

	if (!file) {
		fprintf(stderr, "check: %s: %s\n", path, strerror(errno));
		return false;
	}
	bool good = history_read(history, file, line, sizeof line) && !ferror(file);

	if (!good)
		fprintf(stderr, "check: %s: not a line of a history: %s\n", path, line);
	fclose(file);
	return good;
}

int main(int argc, char **argv)
{
	struct history history = {0};
	struct verdict verdict;

	if (argc < 2) {
		fprintf(stderr, "usage: check FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (!read_file(&history, argv[i])) {
			history_free(&history);
			return 2;
		}
	}

	bool good = check_history(&history, &verdict);

	print_served(&history);
	bool proves = print_faults(&history);

	for (int i = 0; i < WRONG_KINDS; i++)
		if (verdict.wrong[i] > 0)
			printf("WRONG %s: %zu, first: %s\n", wrong_name((enum wrong)i), verdict.wrong[i],
			       verdict.first[i]);
	printf("verdict: %s\n", !good ? "BROKEN" : proves ? "passed" : "invalid: served too little");
	history_free(&history);
	return !good ? 1 : proves ? 0 : 3;
}
