#include "client/status_page.h"

#include <stdlib.h>
#include <string.h>

#include "client/layout.h"
#include "client/status_table.h"
#include "client/status_view.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define HEADING_INDENT 2

/* A piece that is shown whole or not at all. */
struct piece {
	char *text;
	size_t rows; /* 0 where the rows are unlimited */
	bool shown;
};

struct pieces {
	struct piece *piece;
	size_t count;
};

static void add_take(struct pieces *pieces, char *text, const struct status_page *page)
{
	pieces->piece = reallocarray(pieces->piece, pieces->count + 1, sizeof *pieces->piece);
	must_allocate(pieces->piece);
	pieces->piece[pieces->count++] = (struct piece){
		.text = text,
		.rows = page->rows ? layout_rows(text, page->columns) : 0,
		.shown = true,
	};
}

static void release(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++)
		free(pieces->piece[i].text);
	free(pieces->piece);
}

static size_t rows_of(const struct pieces *pieces)
{
	size_t rows = 0;

	for (size_t i = 0; i < pieces->count; i++)
		rows += pieces->piece[i].shown ? pieces->piece[i].rows : 0;
	return rows;
}

static size_t hidden_of(const struct pieces *pieces)
{
	size_t hidden = 0;

	for (size_t i = 0; i < pieces->count; i++)
		hidden += !pieces->piece[i].shown;
	return hidden;
}

static void print(FILE *out, const struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++)
		if (pieces->piece[i].shown)
			fputs(pieces->piece[i].text, out);
}

/* One piece per line. */
static struct pieces lay_out(const char *text, const struct status_page *page, size_t indent)
{
	struct pieces pieces = {0};

	while (*text) {
		size_t size = strcspn(text, "\n"), laid_size;
		char *line = strndup(text, size), *laid = NULL;
		FILE *out = open_memstream(&laid, &laid_size);

		must_allocate(line);
		must_allocate(out);
		layout_text(out, line, page->columns, indent);
		if (fclose(out) != 0)
			shortage_of_memory(__func__);
		free(line);
		add_take(&pieces, laid, page);
		text += size + (text[size] == '\n');
	}
	return pieces;
}

static struct pieces lay_out_table(const struct jh_cluster_status *status, const struct status_page *page)
{
	struct pieces pieces = {0};
	char **texts = status_table(status, page);

	for (u_int i = 0; i <= status->replicas.replicas_len; i++)
		add_take(&pieces, texts[i], page);
	free(texts);
	return pieces;
}

/* --- fitting ---------------------------------------------------------------------------------------------------- */

/* The rows to show first where not all fit: the primary, then replicas that are not in order. */
static int rank_of(jh_role role)
{
	return role == JH_ROLE_PRIMARY ? 0 : role == JH_ROLE_BACKUP ? 2 : 1;
}

static void fit_table(struct pieces *table, const struct jh_cluster_status *status, size_t rows)
{
	for (size_t i = 1; i < table->count; i++)
		table->piece[i].shown = false;
	for (int rank = 0; rank <= 2; rank++)
		for (size_t i = 1; i < table->count; i++) {
			struct piece *piece = &table->piece[i];

			if (rank_of(status->replicas.replicas_val[i - 1].role) != rank)
				continue;
			if (rows_of(table) + piece->rows > rows)
				return;
			piece->shown = true;
		}
}

static void fit_advice(struct pieces *advice, size_t rows)
{
	size_t used = 0;

	for (size_t i = 0; i < advice->count; i++) {
		used += advice->piece[i].rows;
		advice->piece[i].shown = used <= rows;
	}
}

/* Rows for table and advice; a line that counts what is left out takes one of them. */
static void fit(struct pieces *table, struct pieces *advice, const struct jh_cluster_status *status, size_t rows)
{
	size_t table_rows = rows_of(table), advice_rows = rows_of(advice), most;

	if (table_rows + advice_rows <= rows)
		return;
	most = table_rows < rows / 2 ? rows - table_rows : rows / 2;
	if (advice_rows > most) {
		fit_advice(advice, most ? most - 1 : 0);
		advice_rows = rows_of(advice) + 1;
	}
	if (table_rows + advice_rows > rows)
		fit_table(table, status, rows > advice_rows + 1 ? rows - advice_rows - 1 : 0);
}

static void print_hidden_replicas(FILE *out, const struct pieces *table, const struct jh_cluster_status *status)
{
	size_t hidden = hidden_of(table), down = 0;

	if (!hidden)
		return;
	for (size_t i = 1; i < table->count; i++)
		down += !table->piece[i].shown && status->replicas.replicas_val[i - 1].role == JH_ROLE_DOWN;
	fprintf(out, "%zu %sreplica%s not shown", hidden, hidden + 1 < table->count ? "more " : "",
		hidden == 1 ? "" : "s");
	if (down)
		fprintf(out, ", %zu of them down", down);
	fputs("\n", out);
}

/* --- the whole page --------------------------------------------------------------------------------------------- */

static void print_heading(FILE *out, const struct pieces *heading, const struct jh_cluster_status *status, bool colour)
{
	static const char *const paints[] = {[JH_HEALTH_OK] = "\033[1;32m",
					     [JH_HEALTH_DEGRADED] = "\033[1;33m",
					     [JH_HEALTH_UNAVAILABLE] = "\033[1;31m"};
	const char *rest, *behind;

	must(heading->count > 0);
	rest = heading->piece[0].text;
	behind = status_view_behind_health(rest, status->health);
	if (colour && behind != NULL) { /* on a very narrow screen the word itself is broken, and stays without colour */
		fprintf(out, "%s%s\033[0m", paints[status->health], status_view_health(status->health));
		rest = behind;
	}
	fputs(rest, out);
	for (size_t i = 1; i < heading->count; i++)
		fputs(heading->piece[i].text, out);
}

void status_page_print(FILE *out, const struct status_page *page, const struct jh_cluster_status *status,
		       const char *heading_text, const char *advice_text)
{
	struct pieces heading = lay_out(heading_text, page, HEADING_INDENT);
	struct pieces advice = lay_out(advice_text, page, 0);
	struct pieces table = {0};
	size_t taken = rows_of(&heading) + 1; /* plus an empty line */

	if (status->replicas.replicas_len)
		table = lay_out_table(status, page);
	if (page->rows)
		fit(&table, &advice, status, page->rows > taken ? page->rows - taken : 0);
	print_heading(out, &heading, status, page->colour);
	if (table.count)
		fputs("\n", out);
	if (table.count && hidden_of(&table) + 1 < table.count)
		print(out, &table);
	if (table.count)
		print_hidden_replicas(out, &table, status);
	print(out, &advice);
	if (hidden_of(&advice))
		fprintf(out, "%zu more line%s of advice not shown: justhungry status\n", hidden_of(&advice),
			hidden_of(&advice) == 1 ? "" : "s");
	release(&heading);
	release(&advice);
	release(&table);
}
