/* The commands of a scenario file; docs/testing.md lists them. After each, all that is free to happen has happened. */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct words {
	char text[256];
	char *word[STAGE_WORDS];
	uint32_t count;
	char rest[256];       /* after the first word */
};

_Noreturn static void wrong(const struct words *words, const char *why)
{
	fprintf(stderr, "scenario: cannot do \"%s %s\": %s\n", words->word[0], words->rest, why);
	exit(2);
}

static const char *word(const struct words *words, uint32_t place)
{
	if (place >= words->count)
		wrong(words, "a word is missing");
	return words->word[place];
}

static uint64_t number(const struct words *words, uint32_t place)
{
	char *end;
	uint64_t value = strtoull(word(words, place), &end, 10);

	if (*end != 0)
		wrong(words, "a number is missing");
	return value;
}

static uint32_t process_named(const struct words *words, const char *name)
{
	for (uint32_t i = 1; i < STAGE_PROCESSES; i++) {
		if (strcmp(stage_name(i), name) == 0)
			return i;
	}
	wrong(words, "processes are 1 to 5, A and B");
}

static uint32_t process(const struct words *words, uint32_t place)
{
	return process_named(words, word(words, place));
}

static struct replica_process *replica(struct stage *s, const struct words *words, uint32_t place)
{
	struct replica_process *p = stage_replica(s, process(words, place));

	if (p == NULL)
		wrong(words, "a replica is meant");
	return p;
}

static struct front_process *front(struct stage *s, const struct words *words, uint32_t place)
{
	struct front_process *f = stage_front(s, process(words, place));

	if (f == NULL)
		wrong(words, "a front-end is meant");
	return f;
}

static void need_dead(struct stage *s, const struct words *words, uint32_t place)
{
	if (s->processes[process(words, place)].alive)
		wrong(words, "it runs");
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

static bool has_word(const struct words *words, const char *wanted)
{
	for (uint32_t i = 1; i < words->count; i++) {
		if (strcmp(words->word[i], wanted) == 0)
			return true;
	}
	return false;
}

static void do_start(struct stage *s, const struct words *words)
{
	struct front_process *f = stage_front(s, process(words, 1));
	uint64_t cut = 0;

	if (s->processes[process(words, 1)].alive)
		wrong(words, "it runs already");
	if (f != NULL) {
		front_start(s, f, has_word(words, "new-cluster"), has_word(words, "take-over"));
		return;
	}
	if (has_word(words, "torn"))
		cut = disk_tear(&replica(s, words, 1)->disk) + 1;
	replica_process_start(s, replica(s, words, 1), cut, has_word(words, "damaged") ? "a checksum is wrong" : NULL);
}

static void do_kill(struct stage *s, const struct words *words)
{
	for (uint32_t i = 1; i < words->count; i++) {
		struct front_process *f = stage_front(s, process(words, i));

		if (!s->processes[process(words, i)].alive)
			wrong(words, "it is dead already");
		if (f != NULL)
			front_kill(s, f);
		else
			replica_process_kill(s, replica(s, words, i));
	}
}

static void do_pause(struct stage *s, const struct words *words)
{
	s->processes[process(words, 1)].paused = true;
}

/* What lay in its sockets is read before its timers are looked at (rule 15). */
static void do_resume(struct stage *s, const struct words *words)
{
	s->processes[process(words, 1)].paused = false;
}

static void do_stop(struct stage *s, const struct words *words)
{
	replica_process_step(s, replica(s, words, 1), &(struct replica_event){.kind = REPLICA_STOP});
}

static void grow_cluster(struct stage *s, struct front_process *f, uint32_t members)
{
	for (uint32_t i = 0; i < 4000; i++) {
		const struct view *view = views_current(f->views);
		bool level = view->members_count == members && router_serving(f->router);

		for (uint32_t m = 0; m < view->members_count && level; m++) {
			struct report report;

			replica_process_report(s, stage_replica(s, view->members[m].id), &report);
			level = report.state == STATE_SERVING || report.state == STATE_FOLLOWING;
		}
		if (level)
			return;
		stage_wait(s, 5);
	}
	must_not_reach("a whole cluster");
}

static void do_cluster(struct stage *s, const struct words *words)
{
	uint32_t members = (uint32_t)number(words, 1);

	s->silent++;
	for (uint32_t id = 1; id <= members; id++) {
		replica_process_start(s, stage_replica(s, id), 0, NULL);
		stage_run(s);
	}
	front_start(s, &s->fronts[0], true, false);
	stage_run(s);
	grow_cluster(s, &s->fronts[0], members);
	s->silent--;
	show_process(s, 1 + STAGE_REPLICAS);
}

/* Its entry leaves rpcbind: a process that dies leaves it there. */
static void do_unregister(struct stage *s, const struct words *words)
{
	need_dead(s, words, 1);
	s->processes[process(words, 1)].registered = false;
}

static void do_clock(struct stage *s, const struct words *words)
{
	s->processes[process(words, 1)].skew_ms += number(words, 2);
}

/* --- directories -------------------------------------------------------------------------------------------------- */

static void do_wipe(struct stage *s, const struct words *words)
{
	struct front_process *f = stage_front(s, process(words, 1));

	need_dead(s, words, 1);
	if (f != NULL)
		f->has_file = false;
	else
		disk_wipe(&replica(s, words, 1)->disk);
}

static void do_save(struct stage *s, const struct words *words)
{
	struct front_process *f = stage_front(s, process(words, 1));

	if (f != NULL) {
		f->saved = f->stored;
		f->has_saved = f->has_file;
		return;
	}
	disk_copy(&replica(s, words, 1)->saved, &replica(s, words, 1)->disk);
	disk_crash(&replica(s, words, 1)->saved);
}

static void do_restore(struct stage *s, const struct words *words)
{
	struct front_process *f = stage_front(s, process(words, 1));

	need_dead(s, words, 1);
	if (f != NULL) {
		f->stored = f->saved;
		f->has_file = f->has_saved;
		return;
	}
	disk_copy(&replica(s, words, 1)->disk, &replica(s, words, 1)->saved);
}

static void do_copy(struct stage *s, const struct words *words)
{
	need_dead(s, words, 2);
	disk_copy(&replica(s, words, 2)->disk, &replica(s, words, 1)->disk);
	disk_crash(&replica(s, words, 2)->disk);
}

static void do_disk_full(struct stage *s, const struct words *words)
{
	struct replica_process *p = replica(s, words, 1);

	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_DISK,
							   .disk = {.full = strcmp(words->word[0], "disk-full") == 0}});
	replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_FLUSH});
}

static void do_file_fails(struct stage *s, const struct words *words)
{
	front(s, words, 1)->fails = strcmp(words->word[0], "file-fails") == 0;
}

/* --- the network -------------------------------------------------------------------------------------------------- */

static void do_cut(struct stage *s, const struct words *words)
{
	net_cut(s, process(words, 1), process(words, 2), strcmp(words->word[0], "cut") == 0);
}

static void do_break(struct stage *s, const struct words *words)
{
	net_break(s, process(words, 1), process(words, 2));
}

static void do_hold(struct stage *s, const struct words *words)
{
	struct hold *hold = &s->holds[s->holds_count];

	must(s->holds_count < STAGE_HOLDS);
	s->holds_count++;
	if (strlen(words->rest) >= sizeof hold->lane)
		wrong(words, "no lane has such a long name");
	memcpy(hold->lane, words->rest, strlen(words->rest) + 1);
}

static void do_free(struct stage *s, const struct words *words)
{
	for (uint32_t i = 0; i < s->holds_count; i++) {
		if (strcmp(s->holds[i].lane, words->rest) != 0)
			continue;
		s->holds[i] = s->holds[--s->holds_count];
		return;
	}
	wrong(words, "nothing is held there");
}

static struct item *first_in(struct stage *s, const struct words *words)
{
	for (struct item *item = s->first; item != NULL; item = item->next) {
		if (stage_matches(item, words->rest))
			return item;
	}
	wrong(words, "nothing lies there");
}

static void do_deliver(struct stage *s, const struct words *words)
{
	stage_take(s, first_in(s, words));
}

static void do_drop(struct stage *s, const struct words *words)
{
	struct item *item = first_in(s, words);

	item_remove(s, item);
	item_free(item);
}

/* The same message once more: the first copy stays where it is. */
static void do_repeat(struct stage *s, const struct words *words)
{
	struct item *item = first_in(s, words), *next = item->next;
	struct item *copy = item_new(item->kind);

	*copy = *item;
	if (item->state != NULL) {
		copy->state = stage_alloc(sizeof *copy->state);
		*copy->state = *item->state;
	}
	if (item->entries != NULL) {
		copy->entries = stage_alloc(item->push.entries_count * sizeof *copy->entries);
		memcpy(copy->entries, item->entries, item->push.entries_count * sizeof *copy->entries);
	}
	if (item->push.record != NULL)
		copy->push.record = &copy->record;
	item->next = copy;
	copy->next = next;
	if (s->last == item)
		s->last = copy;
	stage_take(s, item);
}

static void do_held(struct stage *s, const struct words *words)
{
	struct text text = {.size = 0};

	(void)words;
	for (const struct item *item = s->first; item != NULL; item = item->next) {
		text.size = 0;
		item_describe(s, item, &text);
		stage_say(s, "%s", text.bytes);
	}
	free(text.bytes);
}

/* --- clients and operators ---------------------------------------------------------------------------------------- */

/* "order c1/1 pizza [via B] [timeout MS]"; "again c1/1 pizza": as another process that was handed the number. */
static void do_order(struct stage *s, const struct words *words)
{
	struct front_process *f = &s->fronts[0];
	char body[STAGE_BODY];
	uint32_t timeout_ms = 10000, last = words->count;
	enum request_kind kind = front_kind(words->word[0]);
	size_t used = 0;

	for (uint32_t i = 1; i < words->count; i++) {
		if (strcmp(words->word[i], "via") != 0 && strcmp(words->word[i], "timeout") != 0)
			continue;
		if (words->word[i][0] == 'v')
			f = front(s, words, i + 1);
		else
			timeout_ms = (uint32_t)number(words, i + 1);
		last = i < last ? i : last;
	}
	if (last < 2 || (kind != REQUEST_READ && kind != REQUEST_VOID && last < 3))
		wrong(words, "order CLIENT/REQUEST WORDS, read CLIENT");
	for (uint32_t i = 1; i < last; i++)
		used += (size_t)snprintf(body + used, sizeof body - used, "%s%s", i == 1 ? "" : " ", words->word[i]);
	if (kind == REQUEST_VOID)
		used += (size_t)snprintf(body + used, sizeof body - used, " void");
	must(used < sizeof body);
	if (!f->process->alive)
		wrong(words, "that front-end is dead");
	front_ask(s, f, body, kind, timeout_ms);
}

/* "submit 1 view 2 c1/1 pizza" and "query 1 view 2 floor 3": to a replica, past every front-end. */
static void do_by_hand(struct stage *s, const struct words *words)
{
	struct replica_process *p = replica(s, words, 1);
	bool query = strcmp(words->word[0], "query") == 0;
	struct item *item = item_new(query ? ITEM_QUERY : ITEM_SUBMIT);
	size_t used = 0;

	item->to = p->process->number;
	item->number = number(words, 3);
	if (query) {
		item->floor = number(words, 5);
		snprintf(item->body, sizeof item->body, "by-hand");
	}
	for (uint32_t i = 4; i < words->count && !query; i++)
		used += (size_t)snprintf(item->body + used, sizeof item->body - used, "%s%s", i == 4 ? "" : " ",
					 words->word[i]);
	must(used < sizeof item->body);
	replica_process_take(s, p, item);
	item_free(item);
}

static void do_operator(struct stage *s, const struct words *words)
{
	const char *what = words->word[0];
	struct views_event event = {.kind = *what == 's' ? VIEWS_SWITCHOVER : *what == 'p' ? VIEWS_PROMOTE :
					    *what == 'r' ? VIEWS_REMOVE : VIEWS_UPGRADE,
				    .operator = {.token = 1, .confirm = has_word(words, "confirm")}};

	if (event.kind != VIEWS_UPGRADE)
		event.operator.id = (uint32_t)number(words, 2);
	front_step(front(s, words, 1), &event);
}

/* "formats A 3 4": what its next process speaks. */
static void do_formats(struct stage *s, const struct words *words)
{
	s->processes[process(words, 1)].formats = (struct format_range){(uint32_t)number(words, 2), (uint32_t)number(words, 3)};
}

/* "computes 2 from 3": the program of its next process makes something else of op 3 and all after it; from 0: of none. */
static void do_computes(struct stage *s, const struct words *words)
{
	replica(s, words, 1)->next_other_from = number(words, 3);
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static void do_show(struct stage *s, const struct words *words)
{
	for (uint32_t i = 1; i < words->count; i++)
		show_process(s, process(words, i));
}

static void do_history(struct stage *s, const struct words *words)
{
	for (uint32_t i = 1; i < words->count; i++)
		show_history(s, replica(s, words, i));
}

static void do_wait(struct stage *s, const struct words *words)
{
	stage_wait(s, number(words, 1));
}

static void do_set(struct stage *s, const struct words *words)
{
	if (strcmp(word(words, 1), "orders-max") == 0)
		s->orders_max = number(words, 2);
	else if (strcmp(word(words, 1), "min-members") == 0)
		s->min_members = (uint32_t)number(words, 2);
	else if (strcmp(word(words, 1), "queue-max") == 0)
		s->queue_max = (uint32_t)number(words, 2);
	else if (strcmp(word(words, 1), "window") == 0)
		s->window = (uint32_t)number(words, 2);
	else if (strcmp(word(words, 1), "hosts-silent") == 0)
		s->hosts_silent = number(words, 2) != 0;
	else
		wrong(words, "set orders-max, min-members, queue-max, window or hosts-silent");
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*act)(struct stage *s, const struct words *words);
} commands[] = {
	{"cluster", do_cluster}, {"start", do_start}, {"kill", do_kill}, {"pause", do_pause},
	{"resume", do_resume}, {"stop", do_stop}, {"clock", do_clock}, {"unregister", do_unregister},
	{"wipe", do_wipe}, {"save", do_save}, {"restore", do_restore}, {"copy", do_copy},
	{"disk-full", do_disk_full}, {"disk-free", do_disk_full}, {"file-fails", do_file_fails},
	{"file-works", do_file_fails}, {"cut", do_cut}, {"heal", do_cut}, {"break", do_break},
	{"hold", do_hold}, {"free", do_free}, {"deliver", do_deliver}, {"drop", do_drop},
	{"repeat", do_repeat}, {"held", do_held}, {"order", do_order}, {"again", do_order}, {"void", do_order}, {"read", do_order},
	{"submit", do_by_hand}, {"query", do_by_hand}, {"switchover", do_operator}, {"promote", do_operator},
	{"remove", do_operator}, {"upgrade", do_operator}, {"formats", do_formats}, {"computes", do_computes},
	{"show", do_show}, {"history", do_history}, {"wait", do_wait}, {"set", do_set},
};

static void split(const char *line, struct words *words)
{
	char *save = NULL;

	memset(words, 0, sizeof *words);
	snprintf(words->text, sizeof words->text, "%s", line);
	for (char *w = strtok_r(words->text, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		must(words->count < STAGE_WORDS);
		words->word[words->count++] = w;
	}
	must(words->count > 0);
	line += strspn(line, " ");
	line += strcspn(line, " ");
	snprintf(words->rest, sizeof words->rest, "%s", line + strspn(line, " "));
}

void stage_command(struct stage *s, const char *line)
{
	bool quiet = strncmp(line, "quietly ", 8) == 0;
	struct words words;

	split(quiet ? line + 8 : line, &words);
	s->silent += quiet;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, words.word[0]) != 0)
			continue;
		commands[i].act(s, &words);
		stage_run(s);
		s->silent -= quiet;
		return;
	}
	wrong(&words, "there is no such command");
}
