/* The stage itself: its processes, its clock, and the order in which things happen. */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Time passes in steps of this: a common part of every timer of the cores. */
#define STEP_MS 5
#define DISCOVERY_MS 1000

/* --- text --------------------------------------------------------------------------------------------------------- */

static void text_add_list(struct text *text, const char *format, va_list list)
{
	char line[2048];
	int size = vsnprintf(line, sizeof line, format, list);

	must(size >= 0 && (size_t)size < sizeof line);
	if (text->size + (size_t)size + 1 > text->room) {
		text->room = (text->size + (size_t)size + 1) * 2;
		text->bytes = realloc(text->bytes, text->room);
		must(text->bytes != NULL);
	}
	memcpy(text->bytes + text->size, line, (size_t)size + 1);
	text->size += (size_t)size;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	text_add_list(text, format, list);
	va_end(list);
}

/* A uuid drawn on this stage says nothing to a reader; whose it is does. */
static void name_managers(const struct stage *s, struct text *text, size_t from)
{
	struct uuid uuid;
	char *at = text->bytes + from;

	while ((at = strstr(at, "d0000000-")) != NULL && strlen(at) >= UUID_TEXT_SIZE - 1) {
		char rest[1024];
		char shown[UUID_TEXT_SIZE];

		memcpy(shown, at, UUID_TEXT_SIZE - 1);
		shown[UUID_TEXT_SIZE - 1] = 0;
		must(uuid_parse(shown, &uuid));
		must(strlen(at) < sizeof rest);
		memcpy(rest, at + UUID_TEXT_SIZE - 1, strlen(at) - (UUID_TEXT_SIZE - 1) + 1);
		text->size = (size_t)(at - text->bytes);
		text_add(text, "%s%s", manager_name(s, uuid), rest);
		at = text->bytes + from;
	}
}

void stage_say(struct stage *s, const char *format, ...)
{
	size_t from = s->out.size;
	va_list list;

	if (s->silent > 0)
		return;
	va_start(list, format);
	text_add_list(&s->out, format, list);
	va_end(list);
	name_managers(s, &s->out, from);
	text_add(&s->out, "\n");
}

void *stage_alloc(size_t size)
{
	void *bytes = calloc(1, size > 0 ? size : 1);

	must(bytes != NULL);
	return bytes;
}

struct uuid stage_draw(struct stage *s)
{
	struct uuid uuid = {.bytes = {0xd0}};
	uint64_t drawn = ++s->drawn;

	memcpy(uuid.bytes + 8, &drawn, sizeof drawn);
	return uuid;
}

const char *stage_name(uint32_t process)
{
	static const char *const names[STAGE_PROCESSES] = {"hand", "1", "2", "3", "4", "5", "A", "B"};

	must(process < STAGE_PROCESSES);
	return names[process];
}

uint64_t stage_now(const struct stage *s, const struct process *process)
{
	return s->now_ms + process->skew_ms;
}

struct front_process *stage_front(struct stage *s, uint32_t process)
{
	return process > STAGE_REPLICAS ? &s->fronts[process - STAGE_REPLICAS - 1] : NULL;
}

struct replica_process *stage_replica(struct stage *s, uint32_t process)
{
	must(process > 0);
	return process <= STAGE_REPLICAS ? &s->replicas[process] : NULL;
}

/* --- what happens next -------------------------------------------------------------------------------------------- */

bool stage_matches(const struct item *item, const char *lane)
{
	char own[40];

	switch (item->kind) {
	case ITEM_DISK:
		snprintf(own, sizeof own, "disk %s", stage_name(item->to));
		return strcmp(own, lane) == 0;
	case ITEM_VALIDATED:
		snprintf(own, sizeof own, "validate %s", stage_name(item->to));
		return strcmp(own, lane) == 0;
	case ITEM_FILE:
		snprintf(own, sizeof own, "file %s", stage_name(item->to));
		return strcmp(own, lane) == 0;
	default:
		snprintf(own, sizeof own, "%s>%s", stage_name(item->from), stage_name(item->to));
		if (strcmp(own, lane) == 0)
			return true;
		snprintf(own, sizeof own, "%s>%s %s", stage_name(item->from), stage_name(item->to),
			 item_name(item->kind));
		return strcmp(own, lane) == 0;
	}
}

bool stage_held(const struct stage *s, const struct item *item)
{
	for (uint32_t i = 0; i < s->holds_count; i++) {
		if (stage_matches(item, s->holds[i].lane))
			return true;
	}
	return s->processes[item->to].paused;
}

/* What went before it over the same connection in the same direction goes first; so does an earlier write of a disk. */
static bool stands_behind(const struct stage *s, const struct item *item)
{
	for (const struct item *other = s->first; other != item; other = other->next) {
		bool same_disk = item->conn == NULL && other->kind == item->kind && other->to == item->to &&
				 item->kind == ITEM_DISK;

		if (same_disk || (item->conn != NULL && other->conn == item->conn && other->to == item->to))
			return true;
	}
	return false;
}

void stage_take(struct stage *s, struct item *item)
{
	uint32_t to = item->to;

	item_remove(s, item);
	if (s->processes[to].alive && stage_front(s, to) != NULL)
		front_take(s, stage_front(s, to), item);
	else if (s->processes[to].alive)
		replica_process_take(s, stage_replica(s, to), item);
	item_free(item);
}

static struct item *next_free(const struct stage *s)
{
	for (struct item *item = s->first; item != NULL; item = item->next) {
		if (!stage_held(s, item) && !stands_behind(s, item))
			return item;
	}
	return NULL;
}

void stage_run(struct stage *s)
{
	struct item *item;
	uint32_t steps = 0;

	while ((item = next_free(s)) != NULL) {
		must(steps++ < 100000);
		stage_take(s, item);
	}
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static void tick_replicas(struct stage *s)
{
	for (uint32_t id = 1; id <= STAGE_REPLICAS; id++) {
		struct replica_process *p = &s->replicas[id];

		if (!p->process->alive || p->process->paused)
			continue;
		serve_tick(s, p);
		replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_TICK});
		if (p->process->alive)
			replica_process_step(s, p, &(struct replica_event){.kind = REPLICA_FLUSH});
		stage_run(s);
	}
}

void stage_wait(struct stage *s, uint64_t ms)
{
	for (uint64_t end = s->now_ms + ms; s->now_ms < end;) {
		s->now_ms += STEP_MS;
		if (s->now_ms % REPLICA_TICK_MS == 0)
			tick_replicas(s);
		for (uint32_t i = 0; i < STAGE_FRONTS; i++) {
			struct front_process *f = &s->fronts[i];

			if (f->process->alive && !f->process->paused)
				front_tick(s, f);
			if (f->process->alive && !f->process->paused && s->now_ms % DISCOVERY_MS == 0)
				front_discover(s, f);
			stage_run(s);
		}
	}
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void stage_init(struct stage *s)
{
	memset(s, 0, sizeof *s);
	s->now_ms = 10000;
	s->orders_max = 1000;
	s->min_members = 1;
	s->queue_max = 100;
	for (uint32_t i = 1; i < STAGE_PROCESSES; i++) {
		s->processes[i].number = i;
		s->processes[i].formats = FORMAT_RANGE_OWN;
		if (stage_front(s, i) == NULL) {
			s->replicas[i].process = &s->processes[i];
			continue;
		}
		stage_front(s, i)->stage = s;
		stage_front(s, i)->process = &s->processes[i];
	}
}

void stage_free(struct stage *s)
{
	s->silent++;
	for (uint32_t i = 1; i < STAGE_PROCESSES; i++) {
		if (s->processes[i].alive && stage_front(s, i) != NULL)
			front_kill(s, stage_front(s, i));
		else if (s->processes[i].alive)
			replica_process_kill(s, stage_replica(s, i));
	}
	for (uint32_t id = 1; id <= STAGE_REPLICAS; id++) {
		disk_wipe(&s->replicas[id].disk);
		disk_wipe(&s->replicas[id].saved);
	}
	while (s->first != NULL) {
		struct item *item = s->first;

		item_remove(s, item);
		item_free(item);
	}
	while (s->conns != NULL) {
		struct conn *conn = s->conns;

		s->conns = conn->next;
		free(conn);
	}
	free(s->out.bytes);
}
