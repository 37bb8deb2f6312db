/* The recorded workload: clients, one process each, that order and read the histories of a few postcodes through the
 * front-end, one request in flight, and record when each was asked, when and how it ended, and what was shown.
 *
 *     recorder load BASE HOST TAG DIR CLIENTS POSTCODES SECONDS THINK-US SEED
 *     recorder final BASE HOST TAG POSTCODES          the whole history, to standard output
 *
 * `load` writes DIR/client-N.history and, ten times a second, the count of acknowledged orders to DIR/progress. SIGTERM
 * ends it early, after the requests in flight have ended. The lines (tests/chaos/history.h reads them; times are
 * microseconds since the machine's start):
 *
 *     order CLIENT REQUEST POSTCODE ASKED ENDED OUTCOME OP NUMBER
 *     read POSTCODE ASKED ENDED OP TOTAL CLIENT:REQUEST:OP...      the newest orders, oldest first
 *     final POSTCODE NUMBER CLIENT:REQUEST:OP
 *
 * A row is "-" when it is not what this run ordered under that client and number.
 *
 * It follows the rules for clients: after an unknown outcome it repeats the request with the same number, and a refusal
 * after an unknown outcome stays unknown (rule 12). Sometimes it gives up instead: the outcome of that order is then
 * open, but once shown it must not change. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/chaos/stock.h"

#define CLIENTS_MAX STOCK_CLIENTS_MAX
#define AGAIN_US 10000            /* between attempts */
#define END_US 60000000           /* a client's patience */
#define GIVE_UP_ONE_IN 4          /* of the orders with unknown outcome; this share is never repeated */
#define READS_PERCENT 30

struct shared {
	atomic_bool stop;
	atomic_ulong acknowledged;
};

struct customer {
	struct stock stock;
	struct shared *shared;
	FILE *history;
	uint32_t index, postcodes, think_us;
	uint64_t request, random;
};

static struct shared *shared;

static void on_signal(int number)
{
	(void)number;
	atomic_store(&shared->stop, true);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* splitmix64 */
static uint64_t draw(struct customer *customer, uint64_t below)
{
	uint64_t z = customer->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % below;
}

struct ordered {
	const char *outcome; /* NULL: repeat */
	uint64_t op;
	uint32_t number;
};

/* One attempt. *sent: an attempt, this or an earlier one, may be executed. */
static struct ordered attempt(struct customer *customer, uint32_t postcode, bool *sent)
{
	jh_write_result result;
	struct ordered ordered = {0};

	switch (stock_place(&customer->stock, customer->index, customer->request, postcode, &result)) {
	case STOCK_NOT_SENT:
		return ordered;
	case STOCK_LOST:
		*sent = true;
		return ordered;
	case STOCK_ANSWERED:
		break;
	}
	if (result.outcome == JH_DONE) {
		const jh_order_placed *placed = &result.jh_write_result_u.done.answer.jh_operation_answer_u.order;

		ordered = (struct ordered){.outcome = "done", .op = placed->op, .number = placed->number};
	} else if (result.outcome == JH_REFUSED) {
		ordered.outcome = *sent ? "unknown" : "refused";
	} else if (result.outcome != JH_UNAVAILABLE) {
		*sent = true;
	}
	stock_free_write(&result);
	return ordered;
}

static void order(struct customer *customer)
{
	uint32_t postcode = (uint32_t)draw(customer, customer->postcodes);
	uint64_t asked = now_us(), patience = draw(customer, GIVE_UP_ONE_IN) == 0 ? 0 : END_US;
	struct ordered ordered;
	bool sent = false;

	customer->request++;
	for (;;) {
		ordered = attempt(customer, postcode, &sent);
		if (ordered.outcome)
			break;
		if (now_us() - asked > (sent ? patience : END_US)) {
			ordered.outcome = sent ? "unknown" : "unavailable";
			break;
		}
		usleep(AGAIN_US);
	}
	if (strcmp(ordered.outcome, "done") == 0)
		atomic_fetch_add(&customer->shared->acknowledged, 1);
	fprintf(customer->history,
		"order %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %" PRIu32 "\n",
		customer->index, customer->request, postcode, asked, now_us(), ordered.outcome, ordered.op,
		ordered.number);
}

/* CLIENT:REQUEST:OP; "-" for a row that this run did not order in that form. */
static void print_row(FILE *to, const struct stock *stock, const jh_history_order *row)
{
	uint32_t client;
	char what[48];

	stock_client_of(stock, row->client.bytes, &client);
	stock_item(client, row->request, what);
	if (!stock_client_of(stock, row->client.bytes, &client) || row->items.items_len != 1 ||
	    row->items.items_val[0].jh_item_len != strlen(what) ||
	    memcmp(row->items.items_val[0].jh_item_val, what, strlen(what)) != 0)
		fprintf(to, " -");
	else
		fprintf(to, " %" PRIu32 ":%" PRIu64 ":%" PRIu64, client, (uint64_t)row->request, (uint64_t)row->op);
}

static void read_history(struct customer *customer)
{
	static const uint32_t limits[] = {1, 3, 10, 200};
	uint32_t postcode = (uint32_t)draw(customer, customer->postcodes), limit = limits[draw(customer, 4)];
	uint64_t asked = now_us(), ended;
	jh_read_result result;

	if (limit == 200 && draw(customer, 10) != 0) /* long lines; now and then is enough */
		limit = 10;
	if (stock_read(&customer->stock, postcode, 0, limit, &result) != STOCK_ANSWERED) {
		usleep(AGAIN_US);
		return;
	}
	ended = now_us();
	if (result.outcome == JH_DONE) {
		const jh_history *history = &result.jh_read_result_u.done.answer.jh_query_answer_u.history;

		fprintf(customer->history, "read %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u", postcode, asked,
			ended, (uint64_t)result.jh_read_result_u.done.basis.op, history->total);
		for (u_int i = 0; i < history->orders.orders_len; i++)
			print_row(customer->history, &customer->stock, &history->orders.orders_val[i]);
		fputc('\n', customer->history);
	}
	stock_free_read(&result);
}

static int be_customer(struct customer *customer, const char *directory, uint64_t until)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/client-%" PRIu32 ".history", directory, customer->index);
	customer->history = fopen(path, "we");
	if (!customer->history) {
		perror(path);
		return 1;
	}
	while (!atomic_load(&customer->shared->stop) && now_us() < until) {
		if (draw(customer, 100) < READS_PERCENT)
			read_history(customer);
		else
			order(customer);
		usleep((useconds_t)draw(customer, 2 * (uint64_t)customer->think_us + 1));
	}
	stock_disconnect(&customer->stock);
	return fclose(customer->history) == 0 ? 0 : 1;
}

static void write_progress(const char *directory, unsigned long count)
{
	char path[4096], aside[4096 + 8];

	snprintf(path, sizeof path, "%s/progress", directory);
	snprintf(aside, sizeof aside, "%s.new", path);
	FILE *file = fopen(aside, "we");

	if (file && fprintf(file, "%lu\n", count) > 0 && fclose(file) == 0)
		rename(aside, path);
}

/* Returns 0 when every client ended successfully. */
static int watch(const char *directory, unsigned clients)
{
	int failed = 0, status;

	while (clients > 0) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			clients--;
			failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
			continue;
		}
		write_progress(directory, atomic_load(&shared->acknowledged));
		usleep(100000);
	}
	write_progress(directory, atomic_load(&shared->acknowledged));
	return failed;
}

static int load(const struct stock *stock, char **argument)
{
	const char *directory = argument[0];
	unsigned clients = (unsigned)strtoul(argument[1], NULL, 10);
	struct customer customer = {.stock = *stock,
				    .postcodes = (uint32_t)strtoul(argument[2], NULL, 10),
				    .think_us = (uint32_t)strtoul(argument[4], NULL, 10)};
	uint64_t until = now_us() + strtoull(argument[3], NULL, 10) * 1000000;
	struct sigaction action = {.sa_handler = on_signal};

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || clients == 0 || clients > CLIENTS_MAX || customer.postcodes == 0) {
		fprintf(stderr, "recorder: 1 to %d clients, at least one postcode\n", CLIENTS_MAX);
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	customer.shared = shared;
	for (unsigned i = 0; i < clients; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("recorder: fork");
			atomic_store(&shared->stop, true);
			clients = i;
		} else if (pid == 0) {
			customer.index = i;
			customer.random = strtoull(argument[5], NULL, 10) * CLIENTS_MAX + i;
			_exit(be_customer(&customer, directory, until));
		}
	}
	return watch(directory, clients);
}

/* The rows of one page, newest page first; *before: where the next one ends, 0 when there is none. */
static bool final_page(struct stock *stock, uint32_t postcode, uint32_t *before)
{
	jh_read_result result;

	if (stock_read(stock, postcode, *before, JH_PAGE_MAX, &result) != STOCK_ANSWERED)
		return false;
	bool done = result.outcome == JH_DONE;
	const jh_history *history = &result.jh_read_result_u.done.answer.jh_query_answer_u.history;

	for (u_int i = 0; done && i < history->orders.orders_len; i++) {
		printf("final %" PRIu32 " %u", postcode, history->orders.orders_val[i].number);
		print_row(stdout, stock, &history->orders.orders_val[i]);
		putchar('\n');
	}
	if (done)
		*before = history->orders.orders_len > 0 && history->orders.orders_val[0].number > 1
				  ? history->orders.orders_val[0].number
				  : 0;
	stock_free_read(&result);
	return done;
}

static int final(struct stock *stock, uint32_t postcodes)
{
	for (uint32_t postcode = 0; postcode < postcodes; postcode++) {
		uint32_t before = 0;

		do {
			int attempts = 0;

			while (!final_page(stock, postcode, &before)) {
				if (++attempts == 20) {
					fprintf(stderr, "recorder: the history cannot be read\n");
					return 1;
				}
				usleep(500000);
			}
		} while (before != 0);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct stock stock = {0};

	if (argc < 6 || argc != (strcmp(argv[1], "load") == 0 ? 11 : 6)) {
		fprintf(stderr, "usage: recorder load BASE HOST TAG DIR CLIENTS POSTCODES SECONDS THINK-US SEED\n"
				"       recorder final BASE HOST TAG POSTCODES\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	stock.program_base = (uint32_t)strtoul(argv[2], NULL, 10);
	stock.host = argv[3];
	memcpy(stock.tag, argv[4], strnlen(argv[4], sizeof stock.tag));
	if (strcmp(argv[1], "load") == 0)
		return load(&stock, argv + 5);

	int status = final(&stock, (uint32_t)strtoul(argv[5], NULL, 10));

	stock_disconnect(&stock);
	return status;
}
