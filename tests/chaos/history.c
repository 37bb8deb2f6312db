#include "tests/chaos/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"

/* Makes room for one more element after `count`; grows by doubling. */
static void *room(void *array, size_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	array = realloc(array, (count == 0 ? 1 : 2 * count) * size);
	must(array);
	return array;
}

static bool told_of(const char *word, enum told *told)
{
	static const char *const words[] = {"done", "refused", "unavailable", "unknown"};

	for (int i = 0; i < 4; i++) {
		*told = (enum told)i;
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static bool read_order(struct history *history, const char *text)
{
	struct ordered order;
	char word[16];
	int end = -1;

	if (sscanf(text, "%" SCNu32 " %" SCNu64 " %" SCNu32 " %" SCNu64 " %" SCNu64 " %15s %" SCNu64 " %" SCNu32 "%n",
		   &order.client, &order.request, &order.postcode, &order.asked, &order.ended, word, &order.op,
		   &order.number, &end) != 8 ||
	    text[end] != '\0' || !told_of(word, &order.told))
		return false;
	history->orders = room(history->orders, history->orders_count, sizeof order);
	history->orders[history->orders_count++] = order;
	return true;
}

/* CLIENT:REQUEST:OP or -; *text moves past it. */
static bool read_row(const char **text, struct row *row)
{
	int end = -1;

	*row = (struct row){.client = NO_CLIENT};
	if (strncmp(*text, " -", 2) == 0) {
		*text += 2;
		return true;
	}
	if (sscanf(*text, " %" SCNu32 ":%" SCNu64 ":%" SCNu64 "%n", &row->client, &row->request, &row->op, &end) != 3)
		return false;
	*text += end;
	return true;
}

static bool read_reading(struct history *history, const char *text)
{
	struct reading reading = {.first = history->shown_count};
	int end = -1;

	if (sscanf(text, "%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu32 "%n", &reading.postcode,
		   &reading.asked, &reading.ended, &reading.op, &reading.total, &end) != 5)
		return false;
	for (text += end; *text != '\0'; reading.rows++) {
		history->shown = room(history->shown, history->shown_count, sizeof *history->shown);
		if (!read_row(&text, &history->shown[history->shown_count]))
			return false;
		history->shown_count++;
	}
	history->reads = room(history->reads, history->reads_count, sizeof reading);
	history->reads[history->reads_count++] = reading;
	return true;
}

static bool read_final(struct history *history, const char *text)
{
	struct final final;
	int end = -1;

	if (sscanf(text, "%" SCNu32 " %" SCNu32 "%n", &final.postcode, &final.number, &end) != 2)
		return false;
	text += end;
	if (!read_row(&text, &final.row) || *text != '\0')
		return false;
	history->finals = room(history->finals, history->finals_count, sizeof final);
	history->finals[history->finals_count++] = final;
	return true;
}

static bool read_fault(struct history *history, const char *text)
{
	struct fault fault;
	int end = -1;

	if (sscanf(text, "%31s %" SCNu64 " %" SCNu64 "%n", fault.kind, &fault.at, &fault.healed, &end) != 3 ||
	    text[end] != '\0')
		return false;
	history->faults = room(history->faults, history->faults_count, sizeof fault);
	history->faults[history->faults_count++] = fault;
	return true;
}

static bool read_line(struct history *history, const char *line)
{
	static const struct {
		const char *word;
		bool (*read)(struct history *, const char *);
	} kinds[] = {{"order ", read_order}, {"read ", read_reading}, {"final ", read_final}, {"fault ", read_fault}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t length = strlen(kinds[i].word);

		if (strncmp(line, kinds[i].word, length) == 0)
			return kinds[i].read(history, line + length);
	}
	return false;
}

bool history_read(struct history *history, FILE *file, char *line, size_t line_size)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t length;
	bool good = true;

	while (good && (length = getline(&text, &size, file)) > 0) {
		good = text[length - 1] == '\n';
		if (good)
			text[length - 1] = '\0';
		good = good && read_line(history, text);
		if (!good)
			snprintf(line, line_size, "%s", text);
	}
	free(text);
	return good;
}

void history_free(struct history *history)
{
	free(history->orders);
	free(history->reads);
	free(history->shown);
	free(history->finals);
	free(history->faults);
	*history = (struct history){0};
}
