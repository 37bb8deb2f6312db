/* What a step wants done: the one place that appends actions. */
#include "frontend/views/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_ROOM 128 /* actions kept free for what must not be dropped, when there is much to log */

/* Nobody is spoken to who is not there, and of a view only while it is the current one. */
static void check_action(struct views *v, enum views_action_kind kind, uint32_t id)
{
	const struct known *k = vm_known_find(v, id);

	switch (kind) {
	case VIEWS_DO_CONNECT:
		must(k != NULL);
		must(k->link == LINK_CONNECTING);
		break;
	case VIEWS_DO_DISCONNECT:
		must(k != NULL);
		must(k->link != LINK_DOWN);
		break;
	case VIEWS_DO_INSTALL:
	case VIEWS_DO_ROUTE:
		must(v->mode == MODE_NORMAL);
		must(id == v->durable.view.primary); /* RULE 3 */
		must(k != NULL);
		must(vm_known_reachable(v, k));
		break;
	case VIEWS_DO_HEARTBEAT:
	case VIEWS_DO_BIND:
		must(k != NULL);
		must(k->link == LINK_UP);
		break;
	case VIEWS_DO_STORE:
		must(v->ticket != 0);
		break;
	case VIEWS_DO_CLEAN:
		must(k != NULL);
		must(k->link != LINK_UP); /* RULE 20: never a live registration */
		break;
	case VIEWS_DO_HOLD:
	case VIEWS_DO_ANSWER:
	case VIEWS_DO_RESET_FLOOR:
	case VIEWS_DO_LOG:
	case VIEWS_DO_EXIT:
		must(id == 0);
		break;
	}
}

struct views_action *vm_emit(struct views *v, enum views_action_kind kind, uint32_t id)
{
	must(v->actions->count < VIEWS_ACTIONS_MAX);
	must(v->mode != MODE_EXITED || kind == VIEWS_DO_ANSWER || kind == VIEWS_DO_EXIT || kind == VIEWS_DO_LOG);
	check_action(v, kind, id);
	struct views_action *action = &v->actions->list[v->actions->count++];

	memset(action, 0, sizeof *action);
	action->kind = kind;
	action->id = id;
	return action;
}

void vm_say(struct views *v, enum log_level level, const char *format, ...)
{
	va_list arguments;

	if (v->actions->count >= VIEWS_ACTIONS_MAX - LOG_ROOM)
		return;
	struct views_action *action = vm_emit(v, VIEWS_DO_LOG, 0);

	action->level = (int)level;
	va_start(arguments, format);
	vsnprintf(action->text, sizeof action->text, format, arguments);
	va_end(arguments);
}

void vm_say_of(struct views *v, struct known *k, enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(k->note, sizeof k->note, format, arguments);
	va_end(arguments);
	k->note_kind = NOTE_ANYTHING;
	if (strcmp(k->note, k->said) == 0)
		return;
	memcpy(k->said, k->note, sizeof k->said);
	vm_say(v, level, "replica %u: %s", k->id, k->note);
}

void vm_say_state(struct views *v, const char *text)
{
	if (strcmp(v->said, text) == 0 && v->now_ms < v->said_ms + SAY_AGAIN_MS)
		return;
	snprintf(v->said, sizeof v->said, "%s", text);
	v->said_ms = v->now_ms;
	vm_say(v, LOG_LEVEL_WARN, "%s", text);
}

static struct views_action *answer(struct views *v, uint64_t token)
{
	struct views_action *action = vm_emit(v, VIEWS_DO_ANSWER, 0);

	action->token = token;
	v->tokens_answered++;
	must(v->tokens_answered <= v->tokens_opened);
	return action;
}

void vm_answer(struct views *v, uint64_t token, bool ok, const char *format, ...)
{
	struct views_action *action = answer(v, token);
	va_list arguments;

	action->ok = ok;
	va_start(arguments, format);
	vsnprintf(action->text, sizeof action->text, format, arguments);
	va_end(arguments);
}

void vm_answer_unsure(struct views *v, uint64_t token, const char *format, ...)
{
	struct views_action *action = answer(v, token);
	va_list arguments;

	action->unsure = true;
	va_start(arguments, format);
	vsnprintf(action->text, sizeof action->text, format, arguments);
	va_end(arguments);
}

void vm_exit_with(struct views *v, const char *text)
{
	must(v->mode != MODE_EXITED);
	vm_operator_close(v, text);
	if (v->routed)
		snprintf(vm_emit(v, VIEWS_DO_HOLD, 0)->text, VIEWS_TEXT_SIZE, "%s", text);
	v->routed = false;
	vm_become(v, MODE_EXITED);
	snprintf(vm_emit(v, VIEWS_DO_EXIT, 0)->text, VIEWS_TEXT_SIZE, "%s", text);
}

void vm_id_list_add(struct id_list *list, uint32_t id)
{
	uint32_t place = list->count;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->ids[i] == id)
			return;
	}
	if (list->count == LIMIT_REPLICAS)
		return;
	while (place > 0 && list->ids[place - 1] > id) {
		list->ids[place] = list->ids[place - 1];
		place--;
	}
	list->ids[place] = id;
	list->count++;
}

const char *vm_id_list_text(const struct id_list *list, char text[static VIEWS_TEXT_SIZE])
{
	size_t used = (size_t)snprintf(text, VIEWS_TEXT_SIZE, list->count == 1 ? "replica" : "replicas");

	if (list->count == 0)
		snprintf(text, VIEWS_TEXT_SIZE, "no replica");
	for (uint32_t i = 1; i < list->count; i++)
		must(list->ids[i - 1] < list->ids[i]);
	/* 64 ids of 4 digits and ", " fit by far. */
	for (uint32_t i = 0; i < list->count && used + 8 < VIEWS_TEXT_SIZE; i++)
		used += (size_t)snprintf(text + used, VIEWS_TEXT_SIZE - used, i == 0 ? " %u" : ", %u", list->ids[i]);
	return text;
}
