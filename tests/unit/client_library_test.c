/* Purpose: docs/library.md describes this client. Each row of its first table is compared with client/answer.c and
 * client/rejection.c, and no outcome and no reason is missing there; each cell of the second and third is checked against
 * client/outcome.c. integration_library runs a client built from the document through the same tables. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/answer.h"
#include "client/rejection.h"
#include "rpc/net/message.h"

#define REASONS (JH_REASON_FORMAT + 1)
#define OUTCOMES (JH_KEY_REUSED + 1)
#define COLUMNS 16

struct word {
	const char *name;
	enum attempt attempts[4]; /* the attempts that the word covers */
	size_t count;
};

static const struct word words[] = {
	{"done", {ATTEMPT_DONE}, 1},
	{"never", {ATTEMPT_REFUSED_FOR_GOOD}, 1},
	{"refused", {ATTEMPT_REFUSED}, 1},
	{"not taken", {ATTEMPT_UNAVAILABLE}, 1},
	{"busy", {ATTEMPT_BUSY}, 1},
	{"not sent", {ATTEMPT_NOT_SENT}, 1},
	{"in doubt", {ATTEMPT_LOST, ATTEMPT_TIMED_OUT, ATTEMPT_UNKNOWN}, 3},
};

static const struct word *word_named(const char *name)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	fail_msg("docs/library.md: \"%s\" is none of its words", name);
	return NULL;
}

static bool stands_for(const struct word *word, enum attempt attempt)
{
	for (size_t i = 0; i < word->count; i++)
		if (word->attempts[i] == attempt)
			return true;
	return false;
}

/* --- the document ------------------------------------------------------------------------------------------------- */

static char document[65536];

static int read_document(void **state)
{
	FILE *file = fopen(LIBRARY_DOCUMENT, "r");
	size_t size;

	(void)state;
	assert_non_null(file);
	size = fread(document, 1, sizeof document - 1, file);
	fclose(file);
	document[size] = '\0';
	return 0;
}

/* The next row of a table at *at, cells without the blanks around them; 0 at its end. */
static size_t next_row(const char **at, char cells[COLUMNS][1024])
{
	const char *end = strchr(*at, '\n'), *from = *at + 1;
	size_t count = 0;

	if (**at != '|' || end == NULL)
		return 0;
	while (from < end && count < COLUMNS) {
		const char *bar = memchr(from, '|', (size_t)(end - from));
		const char *last = bar;

		assert_non_null(bar);
		while (from < bar && *from == ' ')
			from++;
		while (last > from && last[-1] == ' ')
			last--;
		assert_true(last - from < 1024);
		snprintf(cells[count++], 1024, "%.*s", (int)(last - from), from);
		from = bar + 1;
	}
	*at = end + 1;
	return count;
}

/* The first row of the table under that heading. */
static const char *table_under(const char *heading)
{
	const char *at = strstr(document, heading);

	assert_non_null(at);
	at = strstr(at, "\n|");
	assert_non_null(at);
	return at + 1;
}

/* The next `NAME` in the cell. */
static bool next_name(const char **cell, char name[static 64])
{
	const char *from = strchr(*cell, '`'), *end = from ? strchr(from + 1, '`') : NULL;

	if (end == NULL)
		return false;
	snprintf(name, 64, "%.*s", (int)(end - from - 1), from + 1);
	*cell = end + 1;
	return true;
}

/* --- the first table ---------------------------------------------------------------------------------------------- */

static const char *const outcomes[] = {"JH_DONE", "JH_REFUSED", "JH_UNKNOWN", "JH_UNAVAILABLE", "JH_MOVED",
					"JH_KEY_REUSED"};
static const char *const reasons[REASONS] = {
	"JH_REASON_NONE",	      "JH_REASON_BAD_REQUEST", "JH_REASON_INVALID_POSTCODE",
	"JH_REASON_POSTCODE_UNCHECKED", "JH_REASON_KEY_REUSED",	 "JH_REASON_VOID",
	"JH_REASON_FULL",	      "JH_REASON_DISK_FULL",	 "JH_REASON_TOO_FEW_MEMBERS",
	"JH_REASON_NO_PRIMARY",	      "JH_REASON_BUSY",		 "JH_REASON_DONE_BEFORE",
	"JH_REASON_FORMAT"};

static int index_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

/* How our client classifies a reply to which a stock one gives that name. */
static enum attempt attempt_of_reply(const char *name)
{
	static const struct {
		const char *name;
		uint32_t words[6]; /* after xid and REPLY */
		size_t count;
	} replies[] = {
		{"RPC_PROGUNAVAIL", {MSG_ACCEPTED, AUTH_NONE, 0, PROG_UNAVAIL}, 4},
		{"RPC_PROGVERSMISMATCH", {MSG_ACCEPTED, AUTH_NONE, 0, PROG_MISMATCH, 2, 3}, 6},
		{"RPC_PROCUNAVAIL", {MSG_ACCEPTED, AUTH_NONE, 0, PROC_UNAVAIL}, 4},
		{"RPC_CANTDECODEARGS", {MSG_ACCEPTED, AUTH_NONE, 0, GARBAGE_ARGS}, 4},
		{"RPC_SYSTEMERROR", {MSG_ACCEPTED, AUTH_NONE, 0, SYSTEM_ERR}, 4},
		{"RPC_VERSMISMATCH", {MSG_DENIED, RPC_MISMATCH, 3, 3}, 4},
		{"RPC_AUTHERROR", {MSG_DENIED, AUTH_ERROR, AUTH_TOOWEAK}, 3},
	};
	struct reply_head head;

	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		uint32_t record[8] = {htonl(1), htonl(REPLY)};
		enum reply_verdict verdict;

		if (strcmp(replies[i].name, name) != 0)
			continue;
		for (size_t k = 0; k < replies[i].count; k++)
			record[2 + k] = htonl(replies[i].words[k]);
		verdict = reply_head_parse((const uint8_t *)record, (2 + replies[i].count) * 4, &head);
		assert_true(verdict == REPLY_REJECTED || verdict == REPLY_FAILED);
		return rejection_attempt(verdict == REPLY_FAILED   ? RPC_PEER_FAILED
					 : head.no_program ? RPC_NOT_SERVED : RPC_REJECTED);
	}
	/* Failures that the channel itself detects. */
	return rejection_attempt(strcmp(name, "RPC_TIMEDOUT") == 0 ? RPC_LATE : RPC_LOST);
}

static void compare(const char *end, const struct word *word, enum attempt attempt)
{
	if (!stands_for(word, attempt))
		fail_msg("docs/library.md says that %s is \"%s\"; client/ makes another attempt of it (%d)", end, word->name,
			 (int)attempt);
}

/* One row: an outcome with its reasons (all, when it names none), or clnt_stats. */
static void compare_row(const char *cell, const struct word *word, bool told[OUTCOMES][2][REASONS], size_t *stats)
{
	char name[64];
	int outcome = -1, first = 0, last = 1; /* not final, final */
	bool narrowed = false;

	while (next_name(&cell, name)) {
		int reason = index_of(name, reasons, REASONS);

		if (reason >= 0) {
			assert_true(outcome >= 0);
			narrowed = true;
			for (int final = first; final <= last; final++) {
				compare(name, word, answer_attempt((jh_outcome)outcome, (jh_reason)reason, final));
				told[outcome][final][reason] = true;
			}
		} else if (strcmp(name, "final") == 0) {
			first = 1;
		} else if (strcmp(name, "not final") == 0) {
			last = 0;
		} else if (strncmp(name, "JH_", 3) == 0) {
			outcome = index_of(name, outcomes, OUTCOMES);
			if (outcome < 0)
				fail_msg("docs/library.md: there is no %s", name);
		} else {
			compare(name, word, attempt_of_reply(name));
			(*stats)++;
		}
	}
	for (int reason = 0; outcome >= 0 && !narrowed && reason < REASONS; reason++) {
		for (int final = first; final <= last; final++) {
			compare(outcomes[outcome], word, answer_attempt((jh_outcome)outcome, (jh_reason)reason, final));
			told[outcome][final][reason] = true;
		}
	}
}

static void test_what_one_call_means(void **state)
{
	static char cells[COLUMNS][1024];
	const char *at = table_under("## What the end of one call means");
	bool told[OUTCOMES][2][REASONS] = {{{false}}};
	size_t stats = 0;

	(void)state;
	assert_int_equal(next_row(&at, cells), 3);
	assert_int_equal(next_row(&at, cells), 3);
	while (next_row(&at, cells) == 3)
		compare_row(cells[0], word_named(cells[1]), told, &stats);
	assert_int_equal(stats, 11);
	for (int i = 0; i < OUTCOMES * 2 * REASONS; i++)
		if (!told[i / REASONS / 2][i / REASONS % 2][i % REASONS])
			fail_msg("docs/library.md does not say what %s with %s means, %s", outcomes[i / REASONS / 2],
				 reasons[i % REASONS], i / REASONS % 2 ? "final" : "not final");
	/* Values added later. */
	assert_int_equal(answer_attempt((jh_outcome)9, JH_REASON_NONE, true), ATTEMPT_UNKNOWN);
	assert_int_equal(answer_attempt(JH_REFUSED, (jh_reason)99, false), ATTEMPT_REFUSED);
	assert_int_equal(answer_attempt(JH_UNAVAILABLE, (jh_reason)99, false), ATTEMPT_UNAVAILABLE);
}

/* --- the second table --------------------------------------------------------------------------------------------- */

/* Every attempt that the words cover, one after the other. */
static void walk(const char *earlier, const char *then, const char *meaning)
{
	const struct word *first = strcmp(earlier, "none") == 0 || strcmp(earlier, "stored before a restart") == 0
					   ? NULL : word_named(earlier);
	const struct word *second = strcmp(then, "no more") == 0 ? NULL : word_named(then + strlen("then "));

	for (size_t i = 0; i < (first ? first->count : 1); i++)
		for (size_t k = 0; k < (second ? second->count : 1); k++) {
			struct request_track track = outcome_begin(
				strcmp(earlier, "stored before a restart") == 0 ? REQUEST_AGAIN : REQUEST_WRITE, true);
			bool goes_on = true;

			if (first != NULL)
				assert_true(outcome_attempt(&track, first->attempts[i]));
			if (second != NULL)
				goes_on = outcome_attempt(&track, second->attempts[k]);
			if (goes_on)
				outcome_give_up(&track);
			if (strcmp(outcome_name(track.outcome), meaning) != 0)
				fail_msg("docs/library.md says that \"%s\", %s is %s; client/outcome.c says %s", earlier, then,
					 meaning, outcome_name(track.outcome));
		}
}

static void test_what_a_sequence_means(void **state)
{
	static char columns[COLUMNS][1024], cells[COLUMNS][1024];
	const char *at = table_under("## What a sequence of calls means");
	size_t count = next_row(&at, columns), rows = 0;

	(void)state;
	assert_int_equal(count, 2 + sizeof words / sizeof *words);
	assert_int_equal(next_row(&at, cells), count);
	for (; next_row(&at, cells) == count; rows++)
		for (size_t i = 1; i < count; i++)
			walk(cells[0], columns[i], cells[i]);
	assert_int_equal(rows, 6);
}

/* --- the third table ---------------------------------------------------------------------------------------------- */

/* A request of a number of our own, refused in doubt; then a VOID ends so. `outcome`: of the request with no further call. */
static void walk_void(const char *then, const char *outcome)
{
	const struct word *word = word_named(then);

	for (size_t i = 0; i < word->count; i++) {
		struct request_track track = outcome_begin(REQUEST_WRITE, true);
		bool goes_on;

		assert_true(outcome_attempt(&track, ATTEMPT_LOST));
		assert_true(outcome_attempt(&track, ATTEMPT_REFUSED));
		assert_true(track.voids);
		goes_on = outcome_attempt(&track, word->attempts[i]);
		/* Refused for good, the request is repeated; with no answer that says anything, the VOID. */
		if (goes_on)
			assert_int_equal(track.voids, word->attempts[i] != ATTEMPT_REFUSED_FOR_GOOD);
		outcome_give_up(&track);
		if (strcmp(outcome_name(track.outcome), outcome) != 0)
			fail_msg("docs/library.md says that after a VOID that ends \"%s\" the request is %s; client/outcome.c says %s",
				 then, outcome, outcome_name(track.outcome));
	}
}

static void test_what_a_void_means(void **state)
{
	static char cells[COLUMNS][1024];
	const char *at = table_under("## Giving a request up");
	size_t rows = 0;

	(void)state;
	assert_int_equal(next_row(&at, cells), 3);
	assert_int_equal(next_row(&at, cells), 3);
	for (; next_row(&at, cells) == 3; rows++)
		walk_void(cells[0], cells[1]);
	assert_int_equal(rows, sizeof words / sizeof *words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_one_call_means),
		cmocka_unit_test(test_what_a_sequence_means),
		cmocka_unit_test(test_what_a_void_means),
	};

	return cmocka_run_group_tests(tests, read_document, NULL);
}
