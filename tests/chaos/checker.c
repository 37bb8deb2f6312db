#include "tests/chaos/checker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "rpc/base/must.h"

/* State of a check. */
struct checker {
	struct history *history;
	struct verdict *verdict;
	const struct final **by_order; /* the final history by client and request */
	size_t *starts;                /* finals of postcode p: starts[p] .. starts[p + 1] of history->finals */
	uint32_t postcodes;
};

/* One operation in time. */
struct moment {
	uint64_t asked, ended, key; /* key: 2 op of an order, 2 op + 1 of a read */
	bool is_read;
};

const char *wrong_name(enum wrong wrong)
{
	static const char *const names[WRONG_KINDS] = {"lost",     "moved", "doubled",   "foreign", "refused",
						       "numbered", "shown", "reordered", "stale"};

	must(wrong < WRONG_KINDS);
	return names[wrong];
}

static __attribute__((format(printf, 3, 4))) void object(struct verdict *verdict, enum wrong wrong, const char *format,
							 ...)
{
	va_list arguments;

	if (verdict->wrong[wrong]++ > 0)
		return;
	va_start(arguments, format);
	vsnprintf(verdict->first[wrong], sizeof verdict->first[wrong], format, arguments);
	va_end(arguments);
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_rows(const struct row *a, const struct row *b)
{
	int order = compare(a->client, b->client);

	return order != 0 ? order : compare(a->request, b->request);
}

static int by_row(const void *a, const void *b)
{
	return compare_rows(&(*(const struct final *const *)a)->row, &(*(const struct final *const *)b)->row);
}

static int by_place(const void *a, const void *b)
{
	const struct final *left = a, *right = b;
	int order = compare(left->postcode, right->postcode);

	return order != 0 ? order : compare(left->number, right->number);
}

static int by_op(const void *a, const void *b)
{
	return compare(*(const uint64_t *)a, *(const uint64_t *)b);
}

static int by_asked(const void *a, const void *b)
{
	return compare(((const struct moment *)a)->asked, ((const struct moment *)b)->asked);
}

static int by_ended(const void *a, const void *b)
{
	const struct moment *const *left = a, *const *right = b;

	return compare((*left)->ended, (*right)->ended);
}

static int orders_by_asked(const void *a, const void *b)
{
	return compare(((const struct ordered *)a)->asked, ((const struct ordered *)b)->asked);
}

static void *array_of(size_t count, size_t size)
{
	void *array = calloc(count + 1, size);

	must(array);
	return array;
}

static const struct final *find(const struct checker *checker, uint32_t client, uint64_t request)
{
	struct final wanted = {.row = {.client = client, .request = request}};
	const struct final *pointer = &wanted;
	const struct final **found =
		bsearch(&pointer, checker->by_order, checker->history->finals_count, sizeof(struct final *), by_row);

	return found ? *found : NULL;
}

static void index_finals(struct checker *checker)
{
	struct history *history = checker->history;

	qsort(history->finals, history->finals_count, sizeof *history->finals, by_place);
	checker->postcodes = history->finals_count == 0 ? 0 : history->finals[history->finals_count - 1].postcode + 1;
	checker->starts = array_of((size_t)checker->postcodes + 1, sizeof *checker->starts);
	checker->by_order = array_of(history->finals_count, sizeof(struct final *));
	for (size_t i = 0; i < history->finals_count; i++) {
		checker->by_order[i] = &history->finals[i];
		checker->starts[history->finals[i].postcode + 1] = i + 1;
	}
	for (uint32_t p = 1; p <= checker->postcodes; p++)
		if (checker->starts[p] == 0)
			checker->starts[p] = checker->starts[p - 1];
	qsort(checker->by_order, history->finals_count, sizeof(struct final *), by_row);
}

/* The final history by itself: numbered without gap, nothing in it twice. */
static void check_finals(const struct checker *checker)
{
	const struct history *history = checker->history;
	uint64_t *ops = array_of(history->finals_count, sizeof *ops);

	for (size_t i = 0; i < history->finals_count; i++) {
		const struct final *final = &history->finals[i];
		bool first = i == checker->starts[final->postcode];

		ops[i] = final->row.op;
		if (final->row.client == NO_CLIENT)
			object(checker->verdict, WRONG_FOREIGN, "postcode %u number %u was ordered by no client",
			       final->postcode, final->number);
		if (final->number != (first ? 1 : final[-1].number + 1) ||
		    (!first && final->row.op <= final[-1].row.op))
			object(checker->verdict, WRONG_NUMBERED, "postcode %u number %u, op %" PRIu64, final->postcode,
			       final->number, final->row.op);
	}
	for (size_t i = 1; i < history->finals_count; i++)
		if (compare_rows(&checker->by_order[i - 1]->row, &checker->by_order[i]->row) == 0)
			object(checker->verdict, WRONG_DOUBLED, "order %u:%" PRIu64, checker->by_order[i]->row.client,
			       checker->by_order[i]->row.request);
	qsort(ops, history->finals_count, sizeof *ops, by_op);
	for (size_t i = 1; i < history->finals_count; i++)
		if (ops[i] == ops[i - 1] && ops[i] != 0)
			object(checker->verdict, WRONG_DOUBLED, "op %" PRIu64, ops[i]);
	free(ops);
}

/* One order against the final history. */
static void check_order(const struct checker *checker, const struct ordered *order)
{
	const struct final *final = find(checker, order->client, order->request);

	if (order->told == TOLD_DONE && !final)
		object(checker->verdict, WRONG_LOST, "order %u:%" PRIu64 ", acknowledged as op %" PRIu64, order->client,
		       order->request, order->op);
	if (!final)
		return;
	if (order->told == TOLD_REFUSED || order->told == TOLD_UNAVAILABLE)
		object(checker->verdict, WRONG_REFUSED, "order %u:%" PRIu64 " is op %" PRIu64, order->client,
		       order->request, final->row.op);
	if (final->postcode != order->postcode ||
	    (order->told == TOLD_DONE && (final->row.op != order->op || final->number != order->number)))
		object(checker->verdict, WRONG_MOVED, "order %u:%" PRIu64 " was told op %" PRIu64 ", is op %" PRIu64,
		       order->client, order->request, order->op, final->row.op);
}

static int by_request(const void *a, const void *b)
{
	const struct ordered *left = a, *right = b;
	int order = compare(left->client, right->client);

	return order != 0 ? order : compare(left->request, right->request);
}

/* Orders against the final history, and the final history against the orders. */
static void check_orders(const struct checker *checker)
{
	struct history *history = checker->history;
	size_t at = 0;

	qsort(history->orders, history->orders_count, sizeof *history->orders, by_request);
	for (size_t i = 0; i < history->orders_count; i++)
		check_order(checker, &history->orders[i]);
	for (size_t i = 0; i < history->finals_count; i++) {
		const struct row *row = &checker->by_order[i]->row;
		struct ordered wanted = {.client = row->client, .request = row->request};

		while (at < history->orders_count && by_request(&history->orders[at], &wanted) < 0)
			at++;
		if (row->client != NO_CLIENT &&
		    (at == history->orders_count || by_request(&history->orders[at], &wanted) != 0))
			object(checker->verdict, WRONG_FOREIGN, "%u:%" PRIu64 " was never ordered", row->client,
			       row->request);
	}
}

/* What a read showed must be in the final history at the same numbers, complete up to the op that the read names. */
static void check_read(const struct checker *checker, const struct reading *reading)
{
	const struct history *history = checker->history;
	size_t start = 0, length = 0;

	if (reading->postcode < checker->postcodes) {
		start = checker->starts[reading->postcode];
		length = checker->starts[reading->postcode + 1] - start;
	}
	const struct final *list = history->finals + start;
	bool good = reading->total <= length && reading->rows <= reading->total &&
		    (reading->rows > 0 || reading->total == 0);

	for (size_t i = 0; good && i < reading->rows; i++) {
		const struct row *shown = &history->shown[reading->first + i];
		const struct row *final = &list[reading->total - reading->rows + i].row;

		good = compare_rows(shown, final) == 0 && shown->op == final->op;
	}
	good = good && (reading->total == 0 || list[reading->total - 1].row.op <= reading->op) &&
	       (reading->total >= length || list[reading->total].row.op > reading->op);
	if (!good)
		object(checker->verdict, WRONG_SHOWN,
		       "postcode %u read at %" PRIu64 ": %u orders at op %" PRIu64 ", %zu in the end",
		       reading->postcode, reading->asked, reading->total, reading->op, length);
}

/* Every order that is in the history, and every read. Returns their number. */
static size_t moments_of(const struct checker *checker, struct moment *moments)
{
	const struct history *history = checker->history;
	size_t count = 0;

	for (size_t i = 0; i < history->orders_count; i++) {
		const struct ordered *order = &history->orders[i];
		const struct final *final = find(checker, order->client, order->request);

		if (final)
			moments[count++] = (struct moment){
				.asked = order->asked,
				.ended = order->told == TOLD_DONE ? order->ended : UINT64_MAX,
				.key = 2 * final->row.op,
			};
	}
	for (size_t i = 0; i < history->reads_count; i++)
		moments[count++] = (struct moment){.asked = history->reads[i].asked,
						   .ended = history->reads[i].ended,
						   .key = 2 * history->reads[i].op + 1,
						   .is_read = true};
	return count;
}

/* The sweep: by the time each was asked, with the highest key of all that had ended by then. */
static void check_time(const struct checker *checker)
{
	size_t room = checker->history->orders_count + checker->history->reads_count, ended = 0;
	struct moment *moments = array_of(room, sizeof *moments);
	const struct moment **ends = array_of(room, sizeof(struct moment *));
	size_t count = moments_of(checker, moments);
	uint64_t highest = 0;

	qsort(moments, count, sizeof *moments, by_asked);
	for (size_t i = 0; i < count; i++)
		ends[i] = &moments[i];
	qsort(ends, count, sizeof(struct moment *), by_ended);
	for (size_t i = 0; i < count; i++) {
		for (; ended < count && ends[ended]->ended < moments[i].asked; ended++)
			if (ends[ended]->key > highest)
				highest = ends[ended]->key;
		if (moments[i].key < highest)
			object(checker->verdict, moments[i].is_read ? WRONG_STALE : WRONG_REORDERED,
			       "asked at %" PRIu64 ": op %" PRIu64 ", but op %" PRIu64 " had been shown",
			       moments[i].asked, moments[i].key / 2, highest / 2);
	}
	free(ends);
	free(moments);
}

bool check_history(struct history *history, struct verdict *verdict)
{
	struct checker checker = {.history = history, .verdict = verdict};
	size_t objections = 0;

	*verdict = (struct verdict){0};
	index_finals(&checker);
	check_finals(&checker);
	check_orders(&checker);
	for (size_t i = 0; i < history->reads_count; i++)
		check_read(&checker, &history->reads[i]);
	check_time(&checker);
	qsort(history->orders, history->orders_count, sizeof *history->orders, orders_by_asked);
	for (int i = 0; i < WRONG_KINDS; i++)
		objections += verdict->wrong[i];
	free(checker.starts);
	free(checker.by_order);
	return objections == 0;
}

size_t acknowledged_between(const struct history *history, uint64_t from, uint64_t to)
{
	size_t count = 0;

	for (size_t i = 0; i < history->orders_count && history->orders[i].asked < to; i++)
		count += history->orders[i].told == TOLD_DONE && history->orders[i].ended >= from &&
			 history->orders[i].ended < to;
	return count;
}
