/* Runs simulated clusters, each from one seed (world.h), and says how many it ran and what they went through. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "tests/sim/world.h"

#define REQUESTS_USUALLY 200

enum { OPTION_SEED = 256, OPTION_SEEDS, OPTION_SECONDS, OPTION_TRACE, OPTION_REQUESTS, OPTION_RECORD, OPTION_COVERAGE };

struct settings {
	uint64_t first, last;
	uint64_t seconds;
	bool chosen; /* which runs */
	bool one;
	bool coverage;
	struct world_options world;
};

static char program[4096]; /* for the second run of a seed that failed */
static uint32_t requests;

static const struct argp_option known_options[] = {
	{"seed", OPTION_SEED, "N", 0, "one run, and print the hash of all that happened in it", 0},
	{"seeds", OPTION_SEEDS, "A..B", 0, "these runs (1..60)", 0},
	{"seconds", OPTION_SECONDS, "S", 0, "new seeds, drawn from the clock, for so long", 0},
	{"trace", OPTION_TRACE, NULL, 0, "every event on standard error", 0},
	{"requests", OPTION_REQUESTS, "N", 0, "a storm lasts until N requests were answered (200)", 0},
	{"coverage", OPTION_COVERAGE, NULL, 0, "fail unless the runs reached the corners they are meant to reach", 0},
	{"record", OPTION_RECORD, NULL, OPTION_HIDDEN, "keep the last lines", 0},
	{0}};

/* The digits that text begins with; false: there are none, or too many. */
static bool take_digits(const char *text, char **end, uint64_t *value)
{
	errno = 0;
	*value = strtoull(text, end, 10);
	return errno == 0 && *text >= '0' && *text <= '9'; /* strtoull takes a sign */
}

static uint64_t whole_number(struct argp_state *state, const char *option, const char *text, uint64_t least)
{
	char *end;
	uint64_t value;

	if (!take_digits(text, &end, &value) || *end != 0 || value < least)
		argp_error(state, "%s takes a whole number, at least %" PRIu64 ", not \"%s\"", option, least, text);
	return value;
}

static void take_range(struct settings *settings, struct argp_state *state, const char *text)
{
	char *end;

	if (!take_digits(text, &end, &settings->first) || end[0] != '.' || end[1] != '.' ||
	    !take_digits(end + 2, &end, &settings->last) || *end != 0 || settings->last < settings->first)
		argp_error(state, "--seeds takes A..B, as in 1..1000, A not above B, not \"%s\"", text);
}

/* Which runs is asked once. */
static void choose_once(struct settings *settings, struct argp_state *state)
{
	if (settings->chosen)
		argp_error(state, "choose one of --seed, --seeds and --seconds, once");
	settings->chosen = true;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct settings *settings = state->input;

	switch (key) {
	case OPTION_SEED:
		choose_once(settings, state);
		settings->first = settings->last = whole_number(state, "--seed", argument, 0);
		settings->one = true;
		return 0;
	case OPTION_SEEDS:
		choose_once(settings, state);
		take_range(settings, state, argument);
		return 0;
	case OPTION_SECONDS:
		choose_once(settings, state);
		settings->seconds = whole_number(state, "--seconds", argument, 1);
		return 0;
	case OPTION_TRACE:
		settings->world.trace = true;
		return 0;
	case OPTION_REQUESTS:
		settings->world.requests = requests = (uint32_t)whole_number(state, "--requests", argument, 1);
		return 0;
	case OPTION_RECORD:
		settings->world.record = true;
		return 0;
	case OPTION_COVERAGE:
		settings->coverage = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is no option: --seeds %s?", argument, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Fast runs keep no trace. The same seed does the same again, so the second run tells what the first did. */
static void run_again(uint64_t seed)
{
	char seed_text[32], requests_text[32];

	snprintf(seed_text, sizeof seed_text, "--seed=%" PRIu64, seed);
	snprintf(requests_text, sizeof requests_text, "--requests=%" PRIu32, requests);
	fflush(stdout);
	fflush(stderr);
	execl(program, program, seed_text, requests_text, "--record", (char *)NULL);
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What one request can meet at the primary. */
static void demand_decisions(const struct world_counts *sum)
{
	must(sum->kept > sum->runs);
	must(sum->kept_told > 0);
	must(sum->voids > sum->runs);
	must(sum->voids_of_full > 0);
	must(sum->voids_refused > 0);
	must(sum->voids_in_validation > 0);
	must(sum->told_void > 0);
	must(sum->own_voids > 0);
	must(sum->not_admitted > sum->runs);
	must(sum->admitted_later > 0);
	must(sum->waits > sum->runs);
	must(sum->joined > 0);
	must(sum->joined_waits > 0);
	must(sum->late_validations > 0);
	must(sum->doubts > 0);
	must(sum->doubts_left * 5 < sum->doubts);
}

/* The storms are not so bad that nothing is tested, and reach the corners. */
static void demand_coverage(const struct world_counts *sum)
{
	must(sum->done > 100 * sum->runs);
	must(sum->reads > 20 * sum->runs);
	must(sum->adoptions > sum->runs);
	must(sum->cuts > 0);
	must(sum->torn_starts > sum->runs);
	must((sum->stuck + sum->unnoticed) * 20 < sum->runs);
	must(sum->short_runs * 20 < sum->runs);
	must(sum->partitions > sum->runs);
	must(sum->full_disks > sum->runs);
	must(sum->full_needs > sum->runs / 20);
	must(sum->full_moves > sum->runs / 20);
	must(sum->late_clocks > sum->runs);
	must(sum->failed_writes * 5 > sum->runs);
	must(sum->strays > sum->runs);
	must(sum->restored + sum->damaged > 0);
	must(sum->retired > 0);
	must(sum->second_fronts > 0);
	must(sum->replaced > 0);
	must(sum->left_alone > 0);
	must(sum->frozen > 0);
	must(sum->given_up > 0);
	must(sum->late_calls > sum->runs);
	must(sum->again > sum->runs);
	must(sum->decided > 0);
	must(sum->old_directories * 10 > sum->runs);
	demand_decisions(sum);
}

static void print_counts(const struct world_counts *sum, double seconds)
{
	printf("%" PRIu64 " runs in %.1f s, %.0f a minute; %" PRIu64 " of them with fewer requests than asked for\n"
	       "answers: done %" PRIu64 " reads %" PRIu64 " refused %" PRIu64 " unknown %" PRIu64
	       "; highest view %" PRIu64 ", events %" PRIu64
	       "\n",
	       sum->runs, seconds, seconds > 0 ? (double)sum->runs * 60 / seconds : 0, sum->short_runs, sum->done,
	       sum->reads, sum->refused, sum->unknown, sum->views, sum->events);
	printf("faults: partitions %" PRIu64 " full disks %" PRIu64 " failed writes %" PRIu64 " restored disks %" PRIu64
	       " damaged %" PRIu64 " given up %" PRIu64 "\n",
	       sum->partitions, sum->full_disks, sum->failed_writes, sum->restored, sum->damaged, sum->retired);
	printf("faults: reported as full %" PRIu64 " full primaries that handed over %" PRIu64 " orders under a late clock %" PRIu64
	       "\n", sum->full_needs, sum->full_moves, sum->late_clocks);
	printf("faults: stray views %" PRIu64 " old directories %" PRIu64 " second front-ends %" PRIu64 " replaced %" PRIu64
	       " left alone %" PRIu64 " frozen %" PRIu64 "\n",
	       sum->strays, sum->old_directories, sum->second_fronts, sum->replaced, sum->left_alone, sum->frozen);
	printf("faults: kills %" PRIu64 " front-end kills %" PRIu64 " pauses %" PRIu64 " breaks %" PRIu64 " wipes %" PRIu64
	       " torn %" PRIu64 " between %" PRIu64 "\n",
	       sum->kills, sum->front_kills, sum->pauses, sum->breaks, sum->wipes, sum->torn_starts, sum->between);
	printf("reached: late calls %" PRIu64 " asked again by another process %" PRIu64 ", decided by the log %" PRIu64 "\n",
	       sum->late_calls, sum->again, sum->decided);
	printf("reached: entries refused when applied %" PRIu64 " told to a repeat %" PRIu64 "; not admitted %" PRIu64 " done later %" PRIu64
	       "; waits for the log %" PRIu64 " joined %" PRIu64 " joined in validation %" PRIu64 " validated in a later view %" PRIu64 "\n",
	       sum->kept, sum->kept_told, sum->not_admitted, sum->admitted_later, sum->waits, sum->joined_waits, sum->joined,
	       sum->late_validations);
	printf("reached: voids %" PRIu64 " of a full log %" PRIu64 " refused %" PRIu64 " in validation %" PRIu64 " of an own number %" PRIu64 " told void %" PRIu64
	       "; doubts ended in the end %" PRIu64 " and left %" PRIu64 "\n",
	       sum->voids, sum->voids_of_full, sum->voids_refused, sum->voids_in_validation, sum->own_voids, sum->told_void, sum->doubts, sum->doubts_left);
	printf("reached: adoptions %" PRIu64 " pieces %" PRIu64 " cuts %" PRIu64 " admissions %" PRIu64
	       " without an end for want of data %" PRIu64 ", for an old directory %" PRIu64 "; answers to calls given up %" PRIu64
	       "\n",
	       sum->adoptions, sum->pieces, sum->cuts, sum->admissions, sum->stuck, sum->unnoticed, sum->given_up);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {known_options, take_option, NULL,
					 "Whole clusters in one process and in virtual time, each from one seed.", NULL,
					 NULL, NULL};
	struct settings settings = {.first = 1, .last = 60,
				    .world = {.requests = REQUESTS_USUALLY, .on_failure = run_again}};
	struct world_counts sum = {0};
	double began = seconds_now();
	ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);

	must(size > 0);
	requests = REQUESTS_USUALLY;
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &settings);
	if (settings.seconds > 0) {
		settings.first = (uint64_t)time(NULL) << 20;
		settings.last = UINT64_MAX;
		printf("seeds from %" PRIu64 " on\n", settings.first);
	}
	for (uint64_t seed = settings.first;; seed++) {
		uint64_t hash = world_run(&settings.world, seed, &sum);

		if (settings.one)
			printf("seed %" PRIu64 ": trace hash %016" PRIx64 "\n", seed, hash);
		if (seed >= settings.last ||
		    (settings.seconds > 0 && seconds_now() - began >= (double)settings.seconds))
			break;
	}
	print_counts(&sum, seconds_now() - began);
	if (settings.coverage)
		demand_coverage(&sum);
	return 0;
}
