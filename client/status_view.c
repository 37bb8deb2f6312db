#include "client/status_view.h"

#include <stdlib.h>
#include <string.h>

#include "client/locate.h"
#include "client/output.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/convert.h"

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
	case JH_ROLE_NONE: /* never in a view: it waits to be taken in, as a learner does */
	case JH_ROLE_LEARNER:
		break;
	}
	return "learner";
}

static bool state_is(const struct jh_replica_row *row, const char *state)
{
	return row->state.jh_text_len == strlen(state) && memcmp(row->state.jh_text_val, state, strlen(state)) == 0;
}

uint32_t status_view_serving(const struct jh_cluster_status *status)
{
	bool primary_serves = false;
	uint32_t serving = 0;

	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		const struct jh_replica_row *row = &status->replicas.replicas_val[i];

		/* One that only settles counts if the front-end says, by not calling the service unavailable, that the next
		 * request is served: members that are dead stay in the view until somebody asks (rule 10). */
		if (row->role == JH_ROLE_PRIMARY && (state_is(row, "serving") || state_is(row, "settling"))) {
			primary_serves = true;
			serving++;
		} else if (row->role == JH_ROLE_BACKUP && state_is(row, "following")) {
			serving++;
		}
	}
	/* A primary serves before the front-end knows that its members do: orders still wait then. */
	return primary_serves && status->health != JH_HEALTH_UNAVAILABLE ? serving : 0;
}

/* A replica that was never heard of: there are no facts that could have an age. */
static bool never_heard(const struct jh_replica_row *row)
{
	return row->age_ms > INT64_MAX;
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static json_t *json_fact(const struct jh_replica_row *row, uint64_t number)
{
	return never_heard(row) ? json_null() : output_number(number);
}

static json_t *json_row(const struct jh_replica_row *row)
{
	json_t *object = json_object();

	json_object_set_new(object, "id", output_number(row->id));
	json_object_set_new(object, "role", json_string(status_view_role(row->role)));
	json_object_set_new(object, "state", output_text(row->state.jh_text_val, row->state.jh_text_len));
	json_object_set_new(object, "op", json_fact(row, row->op));
	json_object_set_new(object, "commit", json_fact(row, row->commit));
	json_object_set_new(object, "digest", never_heard(row) ? json_null() : output_digest(row->digest));
	json_object_set_new(object, "digest_op", json_fact(row, row->digest_op));
	json_object_set_new(object, "address", output_text(row->address.jh_address_val, row->address.jh_address_len));
	json_object_set_new(object, "age_ms", json_fact(row, row->age_ms));
	json_object_set_new(object, "uptime_s", json_fact(row, row->uptime_s));
	json_object_set_new(object, "member", json_boolean(row->member));
	json_object_set_new(object, "uuid", output_uuid(row->uuid));
	json_object_set_new(object, "view", json_fact(row, row->view));
	json_object_set_new(object, "orders", json_fact(row, row->orders));
	json_object_set_new(object, "loop_max_us", json_fact(row, row->loop_max_us));
	json_object_set_new(object, "push", output_text(row->push.jh_text_val, row->push.jh_text_len));
	json_object_set_new(object, "set_aside", json_fact(row, row->set_aside));
	json_object_set_new(object, "expected", json_boolean(row->expected));
	json_object_set_new(object, "lost_since", output_time(row->lost_us));
	json_object_set_new(object, "managed", json_boolean(row->managed));
	json_object_set_new(object, "frontend", row->frontend.jh_address_len
							? output_text(row->frontend.jh_address_val,
								      row->frontend.jh_address_len)
							: json_null());
	json_object_set_new(object, "frontend_age_ms",
			    row->frontend.jh_address_len ? output_number(row->frontend_age_ms) : json_null());
	return object;
}

json_t *status_view_json(const struct jh_cluster_status *status, const char *error)
{
	json_t *object = json_object(), *rows = json_array();

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
	json_object_set_new(object, "queued", output_number(status->queued));
	json_object_set_new(object, "uptime_s", output_number(status->uptime_s));
	json_object_set_new(object, "loop_max_us", output_number(status->loop_max_us));
	if (error || status->health == JH_HEALTH_UNAVAILABLE) {
		json_object_set_new(object, "outcome", json_string("unavailable"));
		json_object_set_new(object, "error",
				    error ? output_text(error, strlen(error))
					  : output_text(status->summary.jh_text_val, status->summary.jh_text_len));
	}
	return object;
}

/* --- the table -------------------------------------------------------------------------------------------------- */

enum column {
	COLUMN_ID,
	COLUMN_ROLE,
	COLUMN_STATE,
	COLUMN_AGE,
	COLUMN_OP,
	COLUMN_COMMIT,
	COLUMN_DIGEST,
	COLUMN_ADDRESS,
	COLUMN_ORDERS,
	COLUMN_UP,
	COLUMN_PUSH,
	COLUMNS
};

static const char *const titles[COLUMNS] = {"ID",     "ROLE",    "STATE",  "AGE", "OP",  "COMMIT",
					    "DIGEST", "ADDRESS", "ORDERS", "UP",  "PUSH"};
static const bool flush_right[COLUMNS] = {
	[COLUMN_ID] = true, [COLUMN_OP] = true, [COLUMN_COMMIT] = true, [COLUMN_ORDERS] = true, [COLUMN_AGE] = true,
};

struct table_line {
	char *cell[COLUMNS];
	const char *paint; /* escape sequence, or NULL */
};

static char *format_number(uint64_t number)
{
	char *text;

	must(asprintf(&text, "%llu", (unsigned long long)number) >= 0);
	return text;
}

static char *format_fact(const struct jh_replica_row *row, uint64_t number)
{
	return never_heard(row) ? strdup("-") : format_number(number);
}

static char *format_age(const struct jh_replica_row *row)
{
	char *text, duration[TEXT_TIME_SIZE];
	int size;

	if (never_heard(row))
		size = asprintf(&text, "-");
	else if (row->age_ms < 1000)
		size = asprintf(&text, "%llu ms", (unsigned long long)row->age_ms);
	else
		size = asprintf(&text, "%s", text_duration(row->age_ms / 1000, duration));
	must(size >= 0);
	return text;
}

/* Enough of it to compare by eye, and the op it belongs to: digests are compared only at equal ops. */
static char *format_digest(const struct jh_replica_row *row)
{
	char *text, digits[DIGEST_TEXT_SIZE];

	if (never_heard(row))
		return strdup("-");
	digest_format(convert_digest_from_wire(row->digest), digits);
	must(asprintf(&text, "%.8s @%llu", digits, (unsigned long long)row->digest_op) >= 0);
	return text;
}

static const char *paint_of(jh_role role)
{
	switch (role) {
	case JH_ROLE_PRIMARY:
		return "\033[1;32m";
	case JH_ROLE_DOWN:
		return "\033[31m";
	case JH_ROLE_LEARNER:
	case JH_ROLE_NONE:
		return "\033[33m";
	case JH_ROLE_FOREIGN:
		return "\033[35m";
	case JH_ROLE_BACKUP:
		break;
	}
	return NULL;
}

static struct table_line format_row(const struct jh_replica_row *row)
{
	char up[TEXT_TIME_SIZE];
	struct table_line line = {.paint = paint_of(row->role)};

	line.cell[COLUMN_ID] = format_number(row->id);
	line.cell[COLUMN_ROLE] = strdup(status_view_role(row->role));
	line.cell[COLUMN_STATE] = text_escape(row->state.jh_text_val, row->state.jh_text_len);
	line.cell[COLUMN_OP] = format_fact(row, row->op);
	line.cell[COLUMN_COMMIT] = format_fact(row, row->commit);
	line.cell[COLUMN_DIGEST] = format_digest(row);
	line.cell[COLUMN_ORDERS] = format_fact(row, row->orders);
	line.cell[COLUMN_ADDRESS] = text_escape(row->address.jh_address_val, row->address.jh_address_len);
	line.cell[COLUMN_AGE] = format_age(row);
	line.cell[COLUMN_UP] = strdup(never_heard(row) ? "-" : text_duration(row->uptime_s, up));
	line.cell[COLUMN_PUSH] = text_escape(row->push.jh_text_val, row->push.jh_text_len);
	return line;
}

static void print_cells(FILE *out, const struct table_line *line, const size_t widths[COLUMNS], bool colour)
{
	int last = COLUMNS - 1;

	while (last > 0 && !*line->cell[last])
		last--;
	if (colour && line->paint)
		fputs(line->paint, out);
	for (int column = 0; column <= last; column++) {
		const char *cell = line->cell[column];
		int pad = (int)(widths[column] - text_columns(cell));

		if (flush_right[column])
			fprintf(out, "%*s%s", pad, "", cell);
		else
			fprintf(out, "%s%*s", cell, column == last ? 0 : pad, "");
		if (column < last)
			fputs("  ", out);
	}
	fprintf(out, "%s\n", colour && line->paint ? "\033[0m" : "");
}

static void print_rows(FILE *out, const struct jh_cluster_status *status, bool colour)
{
	u_int count = status->replicas.replicas_len;
	struct table_line *lines = calloc(count + 1, sizeof *lines);
	size_t widths[COLUMNS] = {0};

	must_allocate(lines);
	for (int column = 0; column < COLUMNS; column++)
		lines[0].cell[column] = strdup(titles[column]);
	lines[0].paint = "\033[2m";
	for (u_int i = 0; i < count; i++)
		lines[i + 1] = format_row(&status->replicas.replicas_val[i]);
	for (u_int i = 0; i <= count; i++)
		for (int column = 0; column < COLUMNS; column++) {
			size_t columns = text_columns(lines[i].cell[column]);

			widths[column] = columns > widths[column] ? columns : widths[column];
		}
	for (u_int i = 0; i <= count; i++) {
		print_cells(out, &lines[i], widths, colour);
		for (int column = 0; column < COLUMNS; column++)
			free(lines[i].cell[column]);
	}
	free(lines);
}

static void print_heading(FILE *out, const struct jh_cluster_status *status, bool colour)
{
	static const char *const paints[] = {[JH_HEALTH_OK] = "\033[1;32m",
					     [JH_HEALTH_DEGRADED] = "\033[1;33m",
					     [JH_HEALTH_UNAVAILABLE] = "\033[1;31m"};
	const char *health = status_view_health(status->health);
	char *summary = output_said(status->summary.jh_text_val, status->summary.jh_text_len);
	struct uuid cluster = convert_uuid_from_wire(status->cluster);
	char uuid[UUID_TEXT_SIZE], up[TEXT_TIME_SIZE];

	if (colour)
		fputs(paints[status->health], out);
	/* The front-end's summary begins with the health; what this program found out itself may not. */
	if (strncmp(summary, health, strlen(health)) == 0)
		fputs(summary, out);
	else
		fprintf(out, "%s%s%s", health, *summary ? ": " : "", summary);
	fprintf(out, "%s\nview %llu", colour ? "\033[0m" : "", (unsigned long long)status->view);
	if (status->primary)
		fprintf(out, ", primary %u", status->primary);
	else
		fputs(", no primary", out);
	if (status->address.jh_address_len) {
		char *address = text_escape(status->address.jh_address_val, status->address.jh_address_len);

		fprintf(out, ", front-end %s up %s, %u queued", address, text_duration(status->uptime_s, up),
			status->queued);
		free(address);
	}
	if (!uuid_is_nil(cluster))
		fprintf(out, ", cluster %s", uuid_format(cluster, uuid));
	fputs("\n", out);
	free(summary);
}

static void print_advice(FILE *out, const struct client_options *options, const struct jh_cluster_status *status)
{
	char base[40];

	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		const struct jh_replica_row *row = &status->replicas.replicas_val[i];

		if (row->role == JH_ROLE_DOWN)
			fprintf(out, "replica %u is down: start it with `justhungry-server --id %u --data-dir DIR%s`\n",
				row->id, row->id, locate_base_option(options, base));
		if (row->set_aside)
			fprintf(out, "replica %u has %u entr%s in DIR/set-aside\n", row->id, row->set_aside,
				row->set_aside == 1 ? "y" : "ies");
	}
}

void status_view_table(FILE *out, const struct client_options *options, const struct jh_cluster_status *status,
		       bool colour)
{
	print_heading(out, status, colour);
	if (status->replicas.replicas_len) {
		fputs("\n", out);
		print_rows(out, status, colour);
	}
	print_advice(out, options, status);
}
