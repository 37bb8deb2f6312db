#include "client/status_table.h"

#include <stdlib.h>
#include <string.h>

#include "client/layout.h"
#include "client/output.h"
#include "client/status_view.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/cluster/convert.h"

#define GAP 2          /* between two columns */
#define FOLD_INDENT 4  /* of the second and further lines of a row */
#define STATE_WIDE 20  /* a longer state is a remark: it gets lines of its own where room is short */

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
	char *remark;      /* the state's text when it is too long for its column, or NULL */
	const char *paint; /* escape sequence, or NULL */
};

/* The layout of the columns: the width of each, and whether it begins a continuation line of its row. */
struct columns_plan {
	size_t width[COLUMNS];
	bool folds[COLUMNS];
};

static char *format_number(uint64_t number)
{
	char *text;

	must(asprintf(&text, "%llu", (unsigned long long)number) >= 0);
	return text;
}

static char *format_fact(const struct jh_replica_row *row, uint64_t number)
{
	return status_view_never_heard(row) ? strdup("-") : format_number(number);
}

static char *format_age(const struct jh_replica_row *row)
{
	char *text, duration[TEXT_TIME_SIZE];
	int size;

	if (status_view_never_heard(row))
		size = asprintf(&text, "-");
	else if (row->age_ms < 1000)
		size = asprintf(&text, "%llu ms", (unsigned long long)row->age_ms);
	else
		size = asprintf(&text, "%s", text_duration(row->age_ms / 1000, duration));
	must(size >= 0);
	return text;
}

/* Enough of the digest to compare by eye, and its op: digests are compared only at equal ops. */
static char *format_digest(const struct jh_replica_row *row)
{
	char *text, digits[DIGEST_TEXT_SIZE];

	if (status_view_never_heard(row))
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
	struct figures figures;
	int64_t value;

	status_view_row_figures(row, &figures);
	line.cell[COLUMN_ID] = format_number(row->id);
	line.cell[COLUMN_ROLE] = strdup(status_view_role(row->role));
	line.cell[COLUMN_STATE] = text_line(row->state.jh_text_val, row->state.jh_text_len);
	line.cell[COLUMN_OP] = format_fact(row, row->op);
	line.cell[COLUMN_COMMIT] = format_fact(row, row->commit);
	line.cell[COLUMN_DIGEST] = format_digest(row);
	line.cell[COLUMN_ORDERS] = figures_get(&figures, FIGURE_ORDERS, &value) ? format_number((uint64_t)value) : strdup("-");
	line.cell[COLUMN_ADDRESS] = text_line(row->address.jh_address_val, row->address.jh_address_len);
	line.cell[COLUMN_AGE] = format_age(row);
	line.cell[COLUMN_UP] = strdup(figures_get(&figures, FIGURE_UPTIME_S, &value) ? text_duration((uint64_t)value, up) : "-");
	line.cell[COLUMN_PUSH] = text_line(row->push.jh_text_val, row->push.jh_text_len);
	return line;
}

static struct table_line format_titles(void)
{
	struct table_line line = {.paint = "\033[2m"};

	for (int column = 0; column < COLUMNS; column++)
		line.cell[column] = strdup(titles[column]);
	return line;
}

static void free_line(struct table_line *line)
{
	for (int column = 0; column < COLUMNS; column++)
		free(line->cell[column]);
	free(line->remark);
}

/* --- fitting ---------------------------------------------------------------------------------------------------- */

static void measure(const struct table_line *lines, size_t count, struct columns_plan *plan)
{
	memset(plan, 0, sizeof *plan);
	for (size_t i = 0; i < count; i++)
		for (int column = 0; column < COLUMNS; column++) {
			size_t cells = text_columns(lines[i].cell[column]);

			plan->width[column] = cells > plan->width[column] ? cells : plan->width[column];
		}
}

static size_t width_of(const struct columns_plan *plan)
{
	size_t width = 0;

	for (int column = 0; column < COLUMNS; column++)
		width += plan->width[column] + (column ? GAP : 0);
	return width;
}

static void move_remarks(struct table_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (text_columns(lines[i].cell[COLUMN_STATE]) <= STATE_WIDE)
			continue;
		lines[i].remark = lines[i].cell[COLUMN_STATE];
		lines[i].cell[COLUMN_STATE] = strdup("(below)");
	}
}

/* A row that is wider than the terminal continues in the next line, so that no cell is cut. */
static struct columns_plan plan_columns(struct table_line *lines, size_t count, size_t columns)
{
	struct columns_plan plan;
	size_t used;

	measure(lines, count, &plan);
	if (!columns || width_of(&plan) <= columns)
		return plan;
	move_remarks(lines, count);
	measure(lines, count, &plan);
	used = plan.width[0];
	for (int column = 1; column < COLUMNS; column++) {
		used += GAP + plan.width[column];
		if (used <= columns)
			continue;
		plan.folds[column] = true;
		used = FOLD_INDENT + plan.width[column];
	}
	return plan;
}

/* --- printing --------------------------------------------------------------------------------------------------- */

/* Where the line that begins with column `from` ends. */
static int end_of(const struct columns_plan *plan, int from)
{
	do
		from++;
	while (from < COLUMNS && !plan->folds[from]);
	return from;
}

static bool is_empty(const struct table_line *line, int from, int to)
{
	for (int column = from; column < to; column++)
		if (*line->cell[column])
			return false;
	return true;
}

static void print_cells(FILE *out, const struct table_line *line, const struct columns_plan *plan, int from, int to)
{
	size_t owed = from ? FOLD_INDENT : 0; /* blanks, printed once a cell follows them */

	for (int column = from; column < to; column++) {
		const char *cell = line->cell[column];
		size_t pad = plan->width[column] - text_columns(cell), before = flush_right[column] ? pad : 0;

		if (*cell) {
			fprintf(out, "%*s%s", (int)(owed + before), "", cell);
			owed = pad - before;
		} else {
			owed += pad;
		}
		owed += GAP;
	}
}

static void print_remark(FILE *out, const char *remark, size_t columns)
{
	char *line;

	must(asprintf(&line, "%*s%s", FOLD_INDENT, "", remark) >= 0);
	layout_text(out, line, columns, FOLD_INDENT);
	free(line);
}

static char *print_line(const struct table_line *line, const struct columns_plan *plan,
			const struct status_page *page)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool paint = page->colour && line->paint;

	must_allocate(out);
	for (int column = 0, end; column < COLUMNS; column = end) {
		end = end_of(plan, column);
		if (is_empty(line, column, end))
			continue;
		if (paint)
			fputs(line->paint, out);
		print_cells(out, line, plan, column, end);
		fprintf(out, "%s\n", paint ? "\033[0m" : "");
	}
	if (line->remark)
		print_remark(out, line->remark, page->columns);
	if (fclose(out) != 0)
		shortage_of_memory(__func__);
	return text;
}

char **status_table(const struct jh_cluster_status *status, const struct status_page *page)
{
	size_t count = status->replicas.replicas_len + 1u;
	struct table_line *lines = calloc(count, sizeof *lines);
	char **texts = calloc(count, sizeof *texts);
	struct columns_plan plan;

	must_allocate(lines);
	must_allocate(texts);
	lines[0] = format_titles();
	for (size_t i = 1; i < count; i++)
		lines[i] = format_row(&status->replicas.replicas_val[i - 1]);
	plan = plan_columns(lines, count, page->columns);
	for (size_t i = 0; i < count; i++) {
		texts[i] = print_line(&lines[i], &plan, page);
		free_line(&lines[i]);
	}
	free(lines);
	return texts;
}
