#include "frontend/views/actions.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "frontend/views/known.h"

#define LOG_ROOM 128 /* actions kept free for what must not be dropped, when there is much to log */

static struct views_action *emit(struct views *v, enum views_action_kind kind)
{
	must(v->actions->count < VIEWS_ACTIONS_MAX);
	must(v->mode != MODE_EXITED || kind == VIEWS_DO_ANSWER || kind == VIEWS_DO_EXIT || kind == VIEWS_DO_LOG);
	struct views_action *action = &v->actions->list[v->actions->count++];

	memset(action, 0, sizeof *action);
	action->kind = kind;
	return action;
}

void vm_do_connect(struct views *v, const struct known *k)
{
	struct views_action *action = emit(v, VIEWS_DO_CONNECT);

	must(k->link == LINK_CONNECTING);
	must(k->tried[0] != '\0');
	action->connect.id = k->id;
	memcpy(action->connect.address, k->tried, sizeof k->tried);
}

void vm_do_disconnect(struct views *v, const struct known *k)
{
	must(k->link != LINK_DOWN);
	emit(v, VIEWS_DO_DISCONNECT)->disconnect.id = k->id;
}

void vm_do_heartbeat(struct views *v, const struct known *k, bool retire)
{
	struct views_action *action = emit(v, VIEWS_DO_HEARTBEAT);

	must(k->link == LINK_UP);
	action->heartbeat.id = k->id;
	action->heartbeat.view = v->durable.view.number;
	action->heartbeat.retire = retire;
}

void vm_do_bind(struct views *v, const struct known *k)
{
	must(k->link == LINK_UP);
	emit(v, VIEWS_DO_BIND)->bind.id = k->id;
}

void vm_do_store(struct views *v)
{
	must(v->ticket != 0);
	emit(v, VIEWS_DO_STORE)->store.ticket = v->ticket;
}

/* Of a view only its primary is told, while it is the current one. */
static void check_primary(const struct views *v, const struct known *k)
{
	must(v->mode == MODE_NORMAL);
	must(k->id == v->durable.view.primary); /* RULE 3 */
	must(vm_known_reachable(v, k));
}

void vm_do_install(struct views *v, const struct known *k)
{
	check_primary(v, k);
	emit(v, VIEWS_DO_INSTALL)->install.id = k->id;
}

void vm_do_route(struct views *v, const struct known *k)
{
	struct views_action *action = emit(v, VIEWS_DO_ROUTE);

	check_primary(v, k);
	action->route.id = k->id;
	action->route.view = v->durable.view.number;
	action->route.commit = k->report.commit;
}

void vm_do_hold(struct views *v, const char *text)
{
	struct views_action *action = emit(v, VIEWS_DO_HOLD);

	snprintf(action->hold.text, sizeof action->hold.text, "%s", text);
}

void vm_do_reset_floor(struct views *v)
{
	emit(v, VIEWS_DO_RESET_FLOOR);
}

void vm_do_clean(struct views *v, const struct known *k)
{
	struct views_action *action = emit(v, VIEWS_DO_CLEAN);

	must(k->link != LINK_UP); /* RULE 20: never a live registration */
	action->clean.id = k->id;
	memcpy(action->clean.address, k->address, sizeof k->address);
}

void vm_say(struct views *v, enum log_level level, const char *format, ...)
{
	va_list arguments;

	if (v->actions->count >= VIEWS_ACTIONS_MAX - LOG_ROOM)
		return;
	struct views_action *action = emit(v, VIEWS_DO_LOG);

	action->log.level = (int)level;
	va_start(arguments, format);
	vsnprintf(action->log.text, sizeof action->log.text, format, arguments);
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

void vm_answer(struct views *v, uint64_t token, enum views_outcome outcome, const char *format, ...)
{
	struct views_action *action = emit(v, VIEWS_DO_ANSWER);
	va_list arguments;

	action->answer.token = token;
	action->answer.outcome = outcome;
	va_start(arguments, format);
	vsnprintf(action->answer.text, sizeof action->answer.text, format, arguments);
	va_end(arguments);
	v->tokens_answered++;
	must(v->tokens_answered <= v->tokens_opened);
}

void vm_do_exit(struct views *v, const char *text)
{
	struct views_action *action = emit(v, VIEWS_DO_EXIT);

	must(v->mode == MODE_EXITED);
	snprintf(action->exit.text, sizeof action->exit.text, "%s", text);
}
