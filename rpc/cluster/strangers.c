#include "rpc/cluster/strangers.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/identify.h"

#define BUCKETS 1024
#define ENTRIES_MAX 16384 /* RULE 19 */
#define ASKED_AT_ONCE 64 /* RULE 19: each is a connection */
#define ANSWER_MS 300
#define AGAIN_US 5000000u /* for strangers and silent ones */
#define BASES_SAID 16

struct entry {
	struct strangers *strangers;
	uint32_t program;
	char address[LIMIT_ADDRESS_BYTES];
	bool known;             /* it has answered, or asking was given up */
	struct identity_told who;
	uint64_t told_us;
	uint32_t round;         /* of the last look */
	bool waits;             /* in `waiting` */
	struct identify *asked;
	LIST_ENTRY(entry) bucket;
	TAILQ_ENTRY(entry) queue;
};

struct strangers {
	struct event_base *base;
	uint32_t program_base;
	strangers_fn told;
	void *context;
	LIST_HEAD(bucket, entry) buckets[BUCKETS];
	TAILQ_HEAD(queue, entry) waiting;
	uint32_t entries_count, asked_count;
	uint32_t round;
	bool said[LIMIT_PROGRAM_NUMBERS]; /* services of another kind that were logged, by number above our base */
	uint32_t bases[BASES_SAID];     /* of other clusters that were logged */
	uint32_t bases_count;
};

struct strangers *strangers_new(struct event_base *base, uint32_t program_base, strangers_fn told, void *context)
{
	struct strangers *strangers = calloc(1, sizeof *strangers);

	must_allocate(strangers);
	strangers->base = base;
	strangers->program_base = program_base;
	strangers->told = told;
	strangers->context = context;
	TAILQ_INIT(&strangers->waiting);
	return strangers;
}

static void entry_free(struct entry *entry)
{
	struct strangers *strangers = entry->strangers;

	if (entry->waits)
		TAILQ_REMOVE(&strangers->waiting, entry, queue);
	if (entry->asked != NULL) {
		identify_cancel(entry->asked);
		strangers->asked_count--;
	}
	LIST_REMOVE(entry, bucket);
	strangers->entries_count--;
	free(entry);
}

/* Frees those that the filter selects; NULL: all. */
static void free_entries(struct strangers *strangers, bool (*filter)(const struct entry *entry))
{
	for (uint32_t i = 0; i < BUCKETS; i++) {
		struct entry *next;

		for (struct entry *entry = LIST_FIRST(&strangers->buckets[i]); entry != NULL; entry = next) {
			next = LIST_NEXT(entry, bucket);
			if (filter == NULL || filter(entry))
				entry_free(entry);
		}
	}
}

void strangers_free(struct strangers *strangers)
{
	if (strangers == NULL)
		return;
	free_entries(strangers, NULL);
	must(strangers->entries_count == 0);
	free(strangers);
}

/* --- log lines ---------------------------------------------------------------------------------------------------- */

static bool is_among_ours(const struct strangers *strangers, uint32_t program)
{
	return program > strangers->program_base && program - strangers->program_base < LIMIT_PROGRAM_NUMBERS;
}

static bool base_was_said(struct strangers *strangers, uint32_t base)
{
	for (uint32_t i = 0; i < strangers->bases_count; i++) {
		if (strangers->bases[i] == base)
			return true;
	}
	if (strangers->bases_count == BASES_SAID)
		return true;
	strangers->bases[strangers->bases_count++] = base;
	return false;
}

static void say_cluster(struct strangers *strangers, const struct entry *entry)
{
	char who[IDENTIFY_TEXT];

	if (base_was_said(strangers, entry->who.program_base))
		return;
	log_warn("strangers",
		 "--program-base %u cuts into another cluster: program %u at %s is %s, and is left alone: program bases "
		 "less than %u apart share numbers: give one of the two clusters another --program-base",
		 strangers->program_base, entry->program, entry->address, identify_text(&entry->who, who),
		 LIMIT_PROGRAM_NUMBERS);
}

static void say_service(struct strangers *strangers, const struct entry *entry)
{
	uint32_t id = entry->program - strangers->program_base;

	if (strangers->told == NULL || !is_among_ours(strangers, entry->program) || strangers->said[id])
		return;
	strangers->said[id] = true;
	log_warn("strangers",
		 "program %u at %s is a service of another kind, not replica %u, and is left alone: no replica can have "
		 "that --id here while it is registered",
		 entry->program, entry->address, id);
}

static bool is_stranger(const struct entry *entry)
{
	switch (entry->who.kind) {
	case IDENTIFY_REPLICA:
	case IDENTIFY_FRONTEND:
		return entry->who.program_base != entry->strangers->program_base;
	case IDENTIFY_OTHER:
	case IDENTIFY_GONE:
		return true;
	case IDENTIFY_UNKNOWN:
		return false; /* RULE 18 */
	}
	must_not_reach("who answers is of one of its kinds");
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static void ask_next(struct strangers *strangers);

static void answered(void *context, const struct identity_told *told)
{
	struct entry *entry = context;
	struct strangers *strangers = entry->strangers;
	bool first = !entry->known;

	entry->asked = NULL;
	strangers->asked_count--;
	/* A stranger that does not answer this time remains one. */
	if (told->kind != IDENTIFY_UNKNOWN || !is_stranger(entry) || first)
		entry->who = *told;
	entry->known = true;
	entry->told_us = rpc_clock_us();
	if (entry->who.kind == IDENTIFY_OTHER)
		say_service(strangers, entry);
	else if (entry->who.kind != IDENTIFY_GONE && is_stranger(entry))
		say_cluster(strangers, entry);
	ask_next(strangers);
	if (first && strangers->told != NULL)
		strangers->told(strangers->context, entry->program, entry->address);
}

static void ask_next(struct strangers *strangers)
{
	struct entry *entry;

	while (strangers->asked_count < ASKED_AT_ONCE && (entry = TAILQ_FIRST(&strangers->waiting)) != NULL) {
		TAILQ_REMOVE(&strangers->waiting, entry, queue);
		strangers->asked_count++;
		entry->waits = false;
		entry->asked = identify(strangers->base, entry->address, entry->program, ANSWER_MS, answered, entry);
	}
}

static void ask(struct entry *entry)
{
	struct strangers *strangers = entry->strangers;

	if (entry->waits || entry->asked != NULL)
		return;
	entry->waits = true;
	TAILQ_INSERT_TAIL(&strangers->waiting, entry, queue);
	ask_next(strangers);
}

static struct entry *entry_of(struct strangers *strangers, uint32_t program, const char *address)
{
	struct bucket *bucket = &strangers->buckets[program % BUCKETS];
	struct entry *entry;

	LIST_FOREACH(entry, bucket, bucket) {
		if (entry->program == program && strcmp(entry->address, address) == 0)
			return entry;
	}
	if (strangers->entries_count == ENTRIES_MAX)
		return NULL;
	entry = calloc(1, sizeof *entry);
	must_allocate(entry);
	entry->strangers = strangers;
	entry->program = program;
	entry->who.kind = IDENTIFY_UNKNOWN;
	snprintf(entry->address, sizeof entry->address, "%s", address);
	LIST_INSERT_HEAD(bucket, entry, bucket);
	strangers->entries_count++;
	return entry;
}

enum strangers_verdict strangers_look(struct strangers *strangers, uint32_t program, const char *address)
{
	struct entry *entry = entry_of(strangers, program, address);

	if (entry == NULL)
		return STRANGERS_OURS;
	entry->round = strangers->round;
	if (!entry->known) {
		ask(entry);
		return STRANGERS_ASKING;
	}
	/* When one of ours is replaced by another process, its hello shows it. */
	if ((is_stranger(entry) || entry->who.kind == IDENTIFY_UNKNOWN) && rpc_clock_us() - entry->told_us > AGAIN_US)
		ask(entry);
	if (entry->who.kind == IDENTIFY_GONE)
		return STRANGERS_DEAD;
	return is_stranger(entry) ? STRANGERS_OTHERS : STRANGERS_OURS; /* RULE 17 */
}

void strangers_doubt(struct strangers *strangers, uint32_t program)
{
	struct entry *entry;

	LIST_FOREACH(entry, &strangers->buckets[program % BUCKETS], bucket) {
		if (entry->program == program && !is_stranger(entry))
			entry->known = false; /* RULE 17 */
	}
}

static bool was_not_looked_at(const struct entry *entry)
{
	return entry->round != entry->strangers->round;
}

void strangers_end_round(struct strangers *strangers)
{
	free_entries(strangers, was_not_looked_at);
	strangers->round++;
}
