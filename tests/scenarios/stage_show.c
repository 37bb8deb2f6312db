/* What a process is like, in one line. */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void show_view(struct text *text, const struct view *view)
{
	text_add(text, "view %" PRIu64 ": primary %" PRIu32 ", members", view->number, view->primary);
	for (uint32_t i = 0; i < view->members_count; i++)
		text_add(text, " %" PRIu32, view->members[i].id);
	if (view->format != FORMAT_HIGH)
		text_add(text, ", format %" PRIu32, view->format);
}

static void show_replica(struct stage *s, const struct replica_process *p)
{
	struct report report;

	replica_process_report(s, p, &report);
	stage_say(s,
		  "%s is %s, %s, view %" PRIu64 " (whole in %" PRIu64 "), durable up to op %" PRIu64
		  ", applied %" PRIu32,
		  stage_name(p->process->number), replica_role_name(report.role), replica_state_name(report.state),
		  report.view.number, report.whole_view, report.op, p->live.count);
}

void show_history(struct stage *s, const struct replica_process *p)
{
	struct text text = {.size = 0};

	text_add(&text, "%s:", stage_name(p->process->number));
	for (uint32_t op = 0; op < p->live.count; op++)
		text_add(&text, "%s %s", op == 0 ? "" : ",", p->live.list[op]);
	stage_say(s, "%s", text.bytes);
	free(text.bytes);
}

static void show_front(struct stage *s, const struct front_process *f)
{
	const struct view *view = views_current(f->views);
	struct text text = {.size = 0};
	char summary[VIEWS_TEXT_SIZE];
	int health;

	views_summary(f->views, stage_now(s, f->process), summary, &health);
	if (view->number > 0)
		show_view(&text, view);
	else
		text_add(&text, "no view");
	stage_say(s, "%s has %s; floor %" PRIu64 "; %" PRIu32 " waiting; says \"%s\"", stage_name(f->process->number),
		  text.bytes, router_floor(f->router), router_waiting(f->router), summary);
	free(text.bytes);
}

void show_process(struct stage *s, uint32_t process)
{
	if (!s->processes[process].alive)
		stage_say(s, "%s is dead", stage_name(process));
	else if (stage_front(s, process) != NULL)
		show_front(s, stage_front(s, process));
	else
		show_replica(s, stage_replica(s, process));
}
