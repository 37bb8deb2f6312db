#include "server/replica/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/shortage.h"

struct replica_action *replica_do(struct replica *r, enum replica_action_kind kind)
{
	struct replica_actions *out = r->out;

	if (out->count == out->room) {
		out->room = out->room == 0 ? 64 : out->room * 2;
		out->list = realloc(out->list, out->room * sizeof *out->list);
		must_allocate(out->list);
	}

	struct replica_action *action = &out->list[out->count++];

	memset(action, 0, sizeof *action);
	action->kind = kind;
	return action;
}

void replica_trace(struct replica *r, const char *format, ...)
{
	char *line = r->trace[r->trace_count++ % TRACE_LINES];
	int used = snprintf(line, TRACE_SIZE, "%" PRIu64 " view=%" PRIu64 " %s/%s op=%" PRIu64 " commit=%" PRIu64 " ",
			    r->now_ms, r->view.number, replica_role_name(r->role), replica_state_name(r->state),
			    replica_log_last(r->log), r->commit);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line + used, (size_t)(TRACE_SIZE - used), format, arguments);
	va_end(arguments);
}

void replica_trace_dump(const struct replica *r, void (*line)(void *context, const char *text), void *context)
{
	uint64_t first = r->trace_count > TRACE_LINES ? r->trace_count - TRACE_LINES : 0;

	for (uint64_t i = first; i < r->trace_count; i++)
		line(context, r->trace[i % TRACE_LINES]);
}

const char *replica_text(struct replica *r, const char *format, ...)
{
	char *text = r->text[r->text_next++ % (sizeof r->text / sizeof r->text[0])];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, REPLICA_TEXT_SIZE, format, arguments);
	va_end(arguments);
	return text;
}

void replica_say(struct replica *r, int level, const char *format, ...)
{
	char text[REPLICA_TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	replica_trace(r, "%s", text);

	struct replica_action *action = replica_do(r, DO_LOG);

	action->log.level = level;
	action->log.text = replica_text(r, "%s", text);
}

void replica_news(struct replica *r)
{
	r->news++;
	replica_do(r, DO_NEWS);
}
