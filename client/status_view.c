#include "client/status_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/advice.h"
#include "client/output.h"
#include "client/row_state.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"
#include "rpc/cluster/figures_wire.h"

const char *status_view_health(jh_health health)
{
	switch (health) {
	case JH_HEALTH_OK:
		return "ok";
	case JH_HEALTH_DEGRADED:
		return "degraded";
	case JH_HEALTH_UNAVAILABLE:
		break;
	}
	return "unavailable";
}

const char *status_view_role(jh_role role)
{
	switch (role) {
	case JH_ROLE_PRIMARY:
		return "primary";
	case JH_ROLE_BACKUP:
		return "backup";
	case JH_ROLE_FOREIGN:
		return "foreign";
	case JH_ROLE_DOWN:
		return "down";
	case JH_ROLE_NONE: /* never in a view: it waits to be admitted, as a learner does */
	case JH_ROLE_LEARNER:
		break;
	}
	return "learner";
}

const char *status_view_behind_health(const char *text, jh_health health)
{
	const char *word = status_view_health(health);
	size_t size = strlen(word);

	return strncmp(text, word, size) == 0 ? text + size : NULL;
}

uint32_t status_view_serving(const struct jh_cluster_status *status)
{
	bool primary_serves = false;
	uint32_t serving = 0;

	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		const struct jh_replica_row *row = &status->replicas.replicas_val[i];

		enum row_state state = row_state(row);

		/* A settling primary counts if the front-end expects the next request to be served, which it says
		 * by not calling the service unavailable: dead members stay in the view until a request waits (rule
		 * 10). */
		if (row->role == JH_ROLE_PRIMARY && (state == ROW_SERVING || state == ROW_SETTLING)) {
			primary_serves = true;
			serving++;
		} else if (row->role == JH_ROLE_BACKUP && state == ROW_FOLLOWING) {
			serving++;
		}
	}
	/* A primary serves before the front-end knows that its members do: orders still wait then. */
	return primary_serves && status->health != JH_HEALTH_UNAVAILABLE ? serving : 0;
}

bool status_view_never_heard(const struct jh_replica_row *row)
{
	return row->age_ms > INT64_MAX;
}

/* What makes no sense is shown as if it were not there. */
static void read_figures(const jh_figure *list, u_int length, struct figures *figures)
{
	if (!figures_from_wire(list, length, figures))
		figures->count = 0;
}

void status_view_row_figures(const struct jh_replica_row *row, struct figures *figures)
{
	read_figures(row->figures.figures_val, status_view_never_heard(row) ? 0 : row->figures.figures_len, figures);
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static json_t *json_fact(const struct jh_replica_row *row, uint64_t number)
{
	return status_view_never_heard(row) ? json_null() : output_number(number);
}

static json_t *json_figure(const struct figures *figures, const char *name)
{
	int64_t value;

	return figures_get(figures, name, &value) ? json_integer(value) : json_null();
}

/* Those that have no key of their own here: a newer daemon has more, and they are seen all the same. */
static void add_other_figures(json_t *object, const struct figures *figures, const char *const *own)
{
	json_t *others = json_object();

	for (uint32_t i = 0; i < figures->count; i++) {
		const struct figure *figure = &figures->list[i];
		const char *const *name = own;

		while (*name != NULL && strcmp(*name, figure->name) != 0)
			name++;
		if (*name == NULL)
			json_object_set_new(others, figure->name, json_integer(figure->value));
	}
	if (json_object_size(others) > 0)
		json_object_set(object, "figures", others);
	json_decref(others);
}

static json_t *json_row(const struct jh_replica_row *row)
{
	static const char *const own[] = {FIGURE_ORDERS, FIGURE_UPTIME_S, FIGURE_LOOP_MAX_US, FIGURE_SET_ASIDE, NULL};
	json_t *object = json_object();
	struct figures figures;

	status_view_row_figures(row, &figures);

	json_object_set_new(object, "id", output_number(row->id));
	json_object_set_new(object, "role", json_string(status_view_role(row->role)));
	json_object_set_new(object, "state", output_text(row->state.jh_text_val, row->state.jh_text_len));
	json_object_set_new(object, "op", json_fact(row, row->op));
	json_object_set_new(object, "commit", json_fact(row, row->commit));
	json_object_set_new(object, "digest", status_view_never_heard(row) ? json_null() : output_digest(row->digest));
	json_object_set_new(object, "digest_op", json_fact(row, row->digest_op));
	json_object_set_new(object, "address", output_text(row->address.jh_address_val, row->address.jh_address_len));
	json_object_set_new(object, "age_ms", json_fact(row, row->age_ms));
	json_object_set_new(object, "uptime_s", json_figure(&figures, FIGURE_UPTIME_S));
	json_object_set_new(object, "member", json_boolean(row->member));
	json_object_set_new(object, "uuid", output_uuid(row->uuid));
	json_object_set_new(object, "view", json_fact(row, row->view));
	json_object_set_new(object, "orders", json_figure(&figures, FIGURE_ORDERS));
	json_object_set_new(object, "loop_max_us", json_figure(&figures, FIGURE_LOOP_MAX_US));
	json_object_set_new(object, "push", output_text(row->push.jh_text_val, row->push.jh_text_len));
	json_object_set_new(object, "set_aside", json_figure(&figures, FIGURE_SET_ASIDE));
	json_object_set_new(object, "expected", json_boolean(row->expected));
	json_object_set_new(object, "lost_since", output_time(row->lost_us));
	json_object_set_new(object, "managed", json_boolean(row->managed));
	json_object_set_new(object, "frontend", row->frontend.jh_address_len
							? output_text(row->frontend.jh_address_val,
								      row->frontend.jh_address_len)
							: json_null());
	json_object_set_new(object, "frontend_age_ms",
			    row->frontend.jh_address_len ? output_number(row->frontend_age_ms) : json_null());
	add_other_figures(object, &figures, own);
	return object;
}

json_t *status_view_json(const struct jh_cluster_status *status, const char *error)
{
	static const char *const own[] = {FIGURE_QUEUED, FIGURE_UPTIME_S, FIGURE_LOOP_MAX_US, NULL};
	json_t *object = json_object(), *rows = json_array();
	struct figures figures;

	read_figures(status->figures.figures_val, status->figures.figures_len, &figures);
	for (u_int i = 0; i < status->replicas.replicas_len; i++)
		json_array_append_new(rows, json_row(&status->replicas.replicas_val[i]));
	json_object_set_new(object, "cluster", output_uuid(status->cluster));
	json_object_set_new(object, "health", json_string(status_view_health(status->health)));
	json_object_set_new(object, "view", output_number(status->view));
	json_object_set_new(object, "primary", status->primary ? output_number(status->primary) : json_null());
	json_object_set_new(object, "frontend",
			    error ? json_null()
				  : output_text(status->address.jh_address_val, status->address.jh_address_len));
	json_object_set_new(object, "replicas", rows);
	json_object_set_new(object, "summary", output_text(status->summary.jh_text_val, status->summary.jh_text_len));
	json_object_set_new(object, "accepts_orders", json_boolean(!error && status->accepts_orders));
	json_object_set_new(object, "why_not",
			    !error && status->accepts_orders
				    ? json_null()
				    : output_text(status->why_not.jh_text_val, status->why_not.jh_text_len));
	json_object_set_new(object, "copies", output_number(status->copies));
	json_object_set_new(object, "expected", output_number(status->expected));
	json_object_set_new(object, "floor", output_number(status->floor));
	json_object_set_new(object, "queued", error ? json_integer(0) : json_figure(&figures, FIGURE_QUEUED));
	json_object_set_new(object, "uptime_s", error ? json_integer(0) : json_figure(&figures, FIGURE_UPTIME_S));
	json_object_set_new(object, "loop_max_us", error ? json_integer(0) : json_figure(&figures, FIGURE_LOOP_MAX_US));
	add_other_figures(object, &figures, own);
	if (error || status->health == JH_HEALTH_UNAVAILABLE) {
		json_object_set_new(object, "outcome", json_string("unavailable"));
		json_object_set_new(object, "error",
				    error ? output_text(error, strlen(error))
					  : output_text(status->summary.jh_text_val, status->summary.jh_text_len));
	}
	return object;
}

/* --- the page --------------------------------------------------------------------------------------------------- */

static void print_heading(FILE *out, const struct client_options *options, const struct jh_cluster_status *status)
{
	const char *health = status_view_health(status->health);
	char *summary = output_said(options, status->summary.jh_text_val, status->summary.jh_text_len);
	struct uuid cluster = convert_uuid_from_wire(status->cluster);
	char uuid[UUID_TEXT_SIZE], up[TEXT_TIME_SIZE];

	/* The front-end's summary begins with the health; the text that this program made itself may not. */
	if (status_view_behind_health(summary, status->health) != NULL)
		fputs(summary, out);
	else
		fprintf(out, "%s%s%s", health, *summary ? ": " : "", summary);
	fprintf(out, "\nview %llu", (unsigned long long)status->view);
	if (status->primary)
		fprintf(out, ", primary %u", status->primary);
	else
		fputs(", no primary", out);
	if (status->address.jh_address_len) {
		char *address = text_line(status->address.jh_address_val, status->address.jh_address_len);
		int64_t uptime_s = 0, queued = 0;
		struct figures figures;

		read_figures(status->figures.figures_val, status->figures.figures_len, &figures);
		figures_get(&figures, FIGURE_UPTIME_S, &uptime_s);
		figures_get(&figures, FIGURE_QUEUED, &queued);
		fprintf(out, ", front-end %s up %s, %" PRId64 " queued", address,
			text_duration((uint64_t)uptime_s, up), queued);
		free(address);
	}
	if (!uuid_is_nil(cluster))
		fprintf(out, ", cluster %s", uuid_format(cluster, uuid));
	fputs("\n", out);
	free(summary);
}

static void print_start(FILE *out, const struct client_options *options, uint32_t id)
{
	char program[64], *start;

	snprintf(program, sizeof program, "justhungry-server --id %u --data-dir DIR", id);
	start = advice_take(advice_daemon(options, program));
	fprintf(out, "replica %u is down: start it with `%s`\n", id, start);
	free(start);
}

static void print_advice(FILE *out, const struct client_options *options, const struct jh_cluster_status *status)
{
	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		const struct jh_replica_row *row = &status->replicas.replicas_val[i];
		struct figures figures;
		int64_t set_aside;

		/* A replica that was removed, or never admitted, is not expected; and one that answers otherwise need
		 * not be started. */
		if (row->role == JH_ROLE_DOWN && (row->expected || !status->expected) &&
		    row_state(row) != ROW_ANSWERS_OTHERWISE)
			print_start(out, options, row->id);
		status_view_row_figures(row, &figures);
		if (figures_get(&figures, FIGURE_SET_ASIDE, &set_aside) && set_aside != 0)
			fprintf(out, "replica %u has %" PRId64 " entr%s in DIR/set-aside\n", row->id, set_aside,
				set_aside == 1 ? "y" : "ies");
	}
}

static FILE *begin_text(char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	must_allocate(out);
	return out;
}

static void end_text(FILE *out)
{
	if (fclose(out) != 0)
		shortage_of_memory(__func__);
}

void status_view_table(FILE *out, const struct client_options *options, const struct jh_cluster_status *status,
		       const struct status_page *page)
{
	char *heading = NULL, *advice = NULL;
	size_t heading_size, advice_size;
	FILE *to = begin_text(&heading, &heading_size);

	print_heading(to, options, status);
	end_text(to);
	to = begin_text(&advice, &advice_size);
	print_advice(to, options, status);
	end_text(to);
	status_page_print(out, page, status, heading, advice);
	free(heading);
	free(advice);
}
