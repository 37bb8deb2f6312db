/* The same closed loop as `justhungry bench`, against what Just Hungry is compared with: each client has a TCP
 * connection of its own and one order of 66 bytes in flight, over 1,000 postcodes. Prints the same JSON. Used by
 * compare.sh.
 *
 *   peer_bench --protocol redis|etcd --port N [--clients N] [--seconds S] [--replicas N]
 *
 * redis: RPUSH of the order to its postcode's list and WAIT for the replicas, in one packet; both answers end the
 * order, and fewer replicas than asked for is an error. etcd: a put through its HTTP gateway (/v3/kv/put), the one
 * way in that needs no gRPC library; the gateway costs etcd processor time that a gRPC client would not. */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define POSTCODES 1000
#define MESSAGE_BYTES 4096
/* 66 bytes, and as the 88 characters of base64 that stand for some other 66. */
#define ORDER "Ada Lovelace | chicken burger, large fries, two teas, no onions..."
#define ORDER_BASE64 "QWRhTG92ZWxhY2VjaGlja2VuYnVyZ2VybGFyZ2VmcmllczJ0ZWFzbm9vbmlvbnNRV1JoVEc5MlpXeGhZMlZqYUds"

enum protocol { REDIS, ETCD };

struct bench {
	struct event_base *base;
	enum protocol protocol;
	int port;
	int replicas;
	unsigned clients_count;
	unsigned seconds;
	uint32_t *samples_us; /* one for each order */
	size_t samples_count;
	size_t samples_capacity;
	unsigned long errors_count;
};

struct client {
	struct bench *bench;
	int socket;
	unsigned id;
	unsigned orders_count;
	uint64_t sent_us;
	char answer[MESSAGE_BYTES];
	size_t answer_size;
	struct event *readable;
};

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "peer_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int write_redis(const struct client *client, char *out)
{
	unsigned postcode = (client->orders_count * 7 + client->id * 131) % POSTCODES;

	return snprintf(out, MESSAGE_BYTES,
			"*3\r\n$5\r\nRPUSH\r\n$7\r\nDH%u "
			"%uL%c\r\n$%zu\r\n%s\r\n*3\r\n$4\r\nWAIT\r\n$1\r\n%d\r\n$1\r\n0\r\n",
			postcode / 100 % 10, postcode / 10 % 10, (char)('A' + postcode % 10), sizeof(ORDER) - 1, ORDER,
			client->bench->replicas);
}

static int write_etcd(const struct client *client, char *out)
{
	char body[256];
	int size = snprintf(body, sizeof(body), "{\"key\":\"%08u%08u\",\"value\":\"%s\"}", client->id,
			    client->orders_count, ORDER_BASE64);

	return snprintf(out, MESSAGE_BYTES,
			"POST /v3/kv/put HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", size, body);
}

static void send_order(struct client *client)
{
	char message[MESSAGE_BYTES];
	int size = client->bench->protocol == REDIS ? write_redis(client, message) : write_etcd(client, message);

	client->answer_size = 0;
	client->orders_count++;
	client->sent_us = now_us();
	/* One message is in flight and far smaller than a socket's buffer. */
	if (write(client->socket, message, (size_t)size) != size)
		give_up("cannot send an order");
}

enum outcome { INCOMPLETE, DONE, FAILED };

/* ":length of the list" and ":replicas that have it". */
static enum outcome read_redis(const struct client *client)
{
	const char *second = strstr(client->answer, "\r\n");

	if (!second || !strstr(second + 2, "\r\n"))
		return INCOMPLETE;
	return client->answer[0] == ':' && second[2] == ':' && atoi(second + 3) >= client->bench->replicas ? DONE
													   : FAILED;
}

static enum outcome read_etcd(const struct client *client)
{
	const char *body = strstr(client->answer, "\r\n\r\n");
	const char *length = strcasestr(client->answer, "\r\nContent-Length:");

	if (!body)
		return INCOMPLETE;
	if (!length || length > body)
		return FAILED;
	if (strlen(body + 4) < strtoul(length + sizeof("\r\nContent-Length:") - 1, NULL, 10))
		return INCOMPLETE;
	return strncmp(client->answer, "HTTP/1.1 200", 12) == 0 ? DONE : FAILED;
}

static void keep_sample(struct bench *bench, uint64_t took_us)
{
	if (bench->samples_count == bench->samples_capacity) {
		bench->samples_capacity = bench->samples_capacity ? bench->samples_capacity * 2 : 1u << 20;
		bench->samples_us = realloc(bench->samples_us, bench->samples_capacity * sizeof(*bench->samples_us));
		if (!bench->samples_us)
			give_up("no memory for samples");
	}
	bench->samples_us[bench->samples_count++] = (uint32_t)took_us;
}

static void on_readable(evutil_socket_t socket, short what, void *context)
{
	struct client *client = context;
	size_t room = sizeof(client->answer) - 1 - client->answer_size;
	ssize_t got = read(socket, client->answer + client->answer_size, room);

	(void)what;
	if (got <= 0)
		give_up("the connection ended");
	client->answer_size += (size_t)got;
	client->answer[client->answer_size] = '\0';
	switch (client->bench->protocol == REDIS ? read_redis(client) : read_etcd(client)) {
	case INCOMPLETE:
		return;
	case DONE:
		keep_sample(client->bench, now_us() - client->sent_us);
		break;
	case FAILED:
		if (client->bench->errors_count++ == 0)
			fprintf(stderr, "peer_bench: unexpected answer: %s\n", client->answer);
		break;
	}
	send_order(client);
}

static void start_client(struct bench *bench, struct client *client, unsigned id)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench->port)};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->bench = bench;
	client->id = id;
	client->socket = socket(AF_INET, SOCK_STREAM, 0);
	if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&address, sizeof(address)) != 0)
		give_up("cannot connect");
	setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	client->readable = event_new(bench->base, client->socket, EV_READ | EV_PERSIST, on_readable, client);
	event_add(client->readable, NULL);
}

static int by_size(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static uint32_t quantile(const struct bench *bench, double share)
{
	return bench->samples_count ? bench->samples_us[(size_t)((double)(bench->samples_count - 1) * share)] : 0;
}

static void report(struct bench *bench, uint64_t took_us)
{
	qsort(bench->samples_us, bench->samples_count, sizeof(*bench->samples_us), by_size);
	printf("{\"orders_per_second\":%.1f,\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_gap_us\":%u,\"errors\":%"
	       "lu,"
	       "\"orders\":%zu,\"clients\":%u,\"seconds\":%.3f}\n",
	       (double)bench->samples_count * 1e6 / (double)took_us, quantile(bench, 0.5), quantile(bench, 0.99),
	       quantile(bench, 0.999), quantile(bench, 1), bench->errors_count, bench->samples_count,
	       bench->clients_count, (double)took_us / 1e6);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct bench *bench = state->input;

	switch (key) {
	case 't':
		bench->protocol = strcmp(argument, "etcd") == 0 ? ETCD : REDIS;
		return 0;
	case 'p':
		bench->port = atoi(argument);
		return 0;
	case 'c':
		bench->clients_count = (unsigned)atoi(argument);
		return 0;
	case 's':
		bench->seconds = (unsigned)atoi(argument);
		return 0;
	case 'r':
		bench->replicas = atoi(argument);
		return 0;
	case ARGP_KEY_END:
		if (bench->port <= 0 || bench->clients_count == 0 || bench->seconds == 0)
			argp_error(state, "--port, --clients and --seconds are numbers above 0");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"protocol", 't', "NAME", 0, "redis (standard) or etcd", 0},
		{"port", 'p', "N", 0, "of the primary, on 127.0.0.1", 0},
		{"clients", 'c', "N", 0, "connections, each with one order in flight (64)", 0},
		{"seconds", 's', "S", 0, "how long (5)", 0},
		{"replicas", 'r', "N", 0, "redis: how many must have the order (2)", 0},
		{0},
	};
	static const struct argp argp = {options, parse_option, NULL, "A closed loop of orders.", NULL, NULL, NULL};
	struct bench bench = {.clients_count = 64, .seconds = 5, .replicas = 2};

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &bench);
	bench.base = event_base_new();
	struct client *clients = calloc(bench.clients_count, sizeof(*clients));
	if (!clients)
		give_up("no memory for clients");
	for (unsigned i = 0; i < bench.clients_count; i++)
		start_client(&bench, &clients[i], i);
	struct timeval end = {.tv_sec = bench.seconds};
	event_base_loopexit(bench.base, &end);
	uint64_t start_us = now_us();
	for (unsigned i = 0; i < bench.clients_count; i++)
		send_order(&clients[i]);
	event_base_dispatch(bench.base);
	report(&bench, now_us() - start_us);
	for (unsigned i = 0; i < bench.clients_count; i++) {
		event_free(clients[i].readable);
		close(clients[i].socket);
	}
	free(clients);
	free(bench.samples_us);
	event_base_free(bench.base);
	return bench.errors_count ? 1 : 0;
}
