/* Places an order so that it is placed once, whatever happens: docs/library.md as a program, built from shop.x, frontend.x,
 * rpcgen and libtirpc alone. What it asks for it stores first, in STATE; when it is started again it first asks for what
 * it may have asked for before.
 *
 *     place_order STATE HOST PROGRAM SECONDS TRIES [POSTCODE ITEM...]
 *
 * SECONDS: how long one call may take. TRIES: calls at most. Without an order it only finishes the last one.
 * Exit status: 0 placed, 2 usage, 3 refused, 4 unavailable (not placed), 5 unknown: start it again. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <rpc/rpc.h>
#include <rpc/pmap_prot.h> /* after rpc.h */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "frontend.h"

/* How a call ends, and how a request ends. The words are those of docs/library.md. */
enum end { END_DONE, END_NEVER, END_REFUSED, END_NOT_TAKEN, END_BUSY, END_NOT_SENT, END_IN_DOUBT };
enum outcome { DONE = 0, REFUSED = 3, UNAVAILABLE = 4, UNKNOWN = 5 };

struct state {
	bool_t ended;       /* the result of the request below is known; otherwise the request may have been sent */
	jh_place_args args; /* the last request, complete; request 0: none yet */
};

static _Noreturn void stop(const char *what, const char *on)
{
	fprintf(stderr, "place_order: %s %s: %s\n", what, on, strerror(errno));
	exit(2);
}

/* --- stored state ------------------------------------------------------------------------------------------------ */

static bool_t xdr_state(XDR *xdr, struct state *state)
{
	return xdr_bool(xdr, &state->ended) && xdr_jh_place_args(xdr, &state->args);
}

/* Rule 1: the client id is drawn once. */
static void load(const char *path, struct state *state)
{
	FILE *file = fopen(path, "r");
	XDR xdr;

	memset(state, 0, sizeof *state);
	if (file == NULL && errno != ENOENT)
		stop("cannot read", path);
	if (file == NULL) {
		state->ended = TRUE;
		state->args.operation.kind = JH_OPERATION_ORDER;
		if (getrandom(&state->args.client, sizeof state->args.client, 0) != sizeof state->args.client)
			stop("cannot draw", "a client id");
		return;
	}
	xdrstdio_create(&xdr, file, XDR_DECODE);
	errno = EBADMSG;
	if (!xdr_state(&xdr, state))
		stop("cannot understand", path);
	fclose(file);
}

/* Rules 3 and 9: durable before it returns. */
static void save(const char *path, struct state *state)
{
	char *temporary = malloc(strlen(path) + 5), *copy = strdup(path);
	int directory;
	FILE *file;
	XDR xdr;

	if (temporary == NULL || copy == NULL)
		stop("no memory for", path);
	sprintf(temporary, "%s.new", path);
	file = fopen(temporary, "w");
	if (file == NULL)
		stop("cannot write", temporary);
	xdrstdio_create(&xdr, file, XDR_ENCODE);
	if (!xdr_state(&xdr, state) || fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0 ||
	    rename(temporary, path) != 0)
		stop("cannot write", path);
	directory = open(dirname(copy), O_RDONLY | O_DIRECTORY);
	if (directory < 0 || fsync(directory) != 0 || close(directory) != 0)
		stop("cannot write", path);
	free(temporary);
	free(copy);
}

/* --- one call ---------------------------------------------------------------------------------------------------- */

static enum end end_of_answer(const jh_write_result *result)
{
	const jh_problem *problem = &result->jh_write_result_u.problem; /* read only where it is not done */

	switch (result->outcome) {
	case JH_DONE:
		return END_DONE;
	case JH_REFUSED:
		return problem->basis.final ? END_NEVER : END_REFUSED;
	case JH_KEY_REUSED:
		return END_NEVER;
	case JH_UNAVAILABLE:
		return problem->reason == JH_REASON_BUSY ? END_BUSY : END_NOT_TAKEN;
	default:
		return END_IN_DOUBT;
	}
}

static enum end end_of_failure(enum clnt_stat status)
{
	switch (status) {
	case RPC_CANTENCODEARGS:
	case RPC_PROGUNAVAIL:
		return END_NOT_SENT;
	case RPC_PROGVERSMISMATCH:
	case RPC_PROCUNAVAIL:
	case RPC_CANTDECODEARGS:
	case RPC_VERSMISMATCH:
	case RPC_AUTHERROR:
		return END_NOT_TAKEN;
	default:
		return END_IN_DOUBT;
	}
}

static void report(const jh_write_result *result)
{
	const jh_problem *problem = &result->jh_write_result_u.problem;
	const jh_order_placed *placed = &result->jh_write_result_u.done.answer.jh_operation_answer_u.order;

	if (result->outcome == JH_DONE && result->jh_write_result_u.done.answer.kind == JH_OPERATION_VOID)
		fprintf(stderr, "place_order: void: it was not placed and never will be\n");
	else if (result->outcome == JH_DONE)
		printf("order %llu: number %u for %.*s\n", (unsigned long long)placed->op, placed->number,
		       (int)placed->postcode.postcode_len, placed->postcode.postcode_val);
	else
		fprintf(stderr, "place_order: %.*s\n", (int)problem->error.jh_text_len, problem->error.jh_text_val);
}

/* The front-end, through its host's rpcbind; NULL: not found. Not clnt_create: see docs/library.md, "Reconnecting". */
static CLIENT *find(const char *host, unsigned long program)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	const struct timeval patience = {.tv_sec = 5};
	struct pmap wanted = {.pm_prog = program, .pm_vers = JH_FRONTEND_V2, .pm_prot = IPPROTO_TCP};
	struct addrinfo *found;
	struct sockaddr_in address;
	unsigned short port = 0;
	int fd = RPC_ANYSOCK;
	CLIENT *rpcbind;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return NULL;
	memcpy(&address, found->ai_addr, sizeof address);
	freeaddrinfo(found);
	address.sin_port = htons(PMAPPORT);
	rpcbind = clnttcp_create(&address, PMAPPROG, PMAPVERS, &fd, 0, 0);
	if (rpcbind == NULL)
		return NULL;
	clnt_call(rpcbind, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, (caddr_t)&wanted, (xdrproc_t)xdr_u_short, (caddr_t)&port,
		  patience);
	clnt_destroy(rpcbind);
	if (port == 0)
		return NULL;
	address.sin_port = htons(port);
	fd = RPC_ANYSOCK;
	return clnttcp_create(&address, program, JH_FRONTEND_V2, &fd, 0, 0);
}

/* Each call has a connection of its own, so that a late answer reaches no other call. */
static enum end call(const char *host, unsigned long program, unsigned int seconds, jh_place_args *args)
{
	CLIENT *client = find(host, program);
	struct timeval patience = {.tv_sec = seconds + 1};
	jh_write_result *result;
	enum end end;

	if (client == NULL) {
		fprintf(stderr, "place_order: no front-end found at %s\n", host);
		return END_NOT_SENT;
	}
	clnt_control(client, CLSET_TIMEOUT, (char *)&patience);
	args->timeout_ms = seconds * 1000;
	result = place_order_2(args, client);
	if (result == NULL) {
		struct rpc_err error;

		clnt_geterr(client, &error);
		clnt_perror(client, "place_order");
		end = end_of_failure(error.re_status);
	} else {
		report(result);
		end = end_of_answer(result);
		clnt_freeres(client, (xdrproc_t)xdr_jh_write_result, (caddr_t)result);
	}
	clnt_destroy(client);
	return end;
}

/* --- one request ------------------------------------------------------------------------------------------------- */

/* A little longer each time. */
static void wait_before(unsigned int attempt, struct timespec *pause)
{
	if (attempt == 0)
		return;
	nanosleep(pause, NULL);
	if (pause->tv_nsec < 80000000)
		pause->tv_nsec *= 2;
}

/* Rule 7. doubt: an earlier call of this request may have been executed, or may still be. The number is our own, so a refusal
 * in doubt is made final by a VOID under it; a VOID that is refused for good says that the order was placed. */
static enum outcome ask(const char *host, unsigned long program, unsigned int seconds, unsigned int tries, bool doubt,
			jh_place_args *order)
{
	jh_place_args nothing = {.client = order->client, .request = order->request, .operation.kind = JH_OPERATION_VOID};
	struct timespec pause = {.tv_nsec = 5000000};
	bool voids = false; /* the next call is a VOID */

	for (unsigned int i = 0; i < tries; i++) {
		wait_before(i, &pause);
		switch (call(host, program, seconds, voids ? &nothing : order)) {
		case END_DONE:
			return voids ? REFUSED : DONE;
		case END_NEVER:
			if (!voids)
				return REFUSED;
			voids = false;
			break;
		case END_REFUSED:
			if (voids)
				return UNKNOWN;
			if (!doubt)
				return REFUSED;
			voids = true;
			break;
		case END_NOT_TAKEN:
		case END_BUSY:
		case END_NOT_SENT:
			break;
		case END_IN_DOUBT:
			doubt = true;
			break;
		}
	}
	return doubt ? UNKNOWN : UNAVAILABLE;
}

static void set_order(jh_order *order, char *postcode, char **items, unsigned int count)
{
	xdr_free((xdrproc_t)xdr_jh_order, (char *)order);
	memset(order, 0, sizeof *order);
	order->postcode.postcode_val = strdup(postcode);
	order->postcode.postcode_len = (u_int)strlen(postcode);
	order->items.items_val = calloc(count + 1, sizeof *order->items.items_val);
	order->items.items_len = count;
	if (order->postcode.postcode_val == NULL || order->items.items_val == NULL)
		stop("no memory for", "the order");
	for (unsigned int i = 0; i < count; i++) {
		order->items.items_val[i].jh_item_val = strdup(items[i]);
		if (order->items.items_val[i].jh_item_val == NULL)
			stop("no memory for", items[i]);
		order->items.items_val[i].jh_item_len = (u_int)strlen(items[i]);
	}
}

int main(int argc, char **argv)
{
	static const char *const said[] = {[DONE] = "placed", [REFUSED] = "refused", [UNAVAILABLE] = "unavailable",
					   [UNKNOWN] = "unknown"};
	enum outcome outcome = DONE;
	struct state state;

	if (argc < 6 || argc == 7) {
		fprintf(stderr, "usage: place_order STATE HOST PROGRAM SECONDS TRIES [POSTCODE ITEM...]\n");
		return 2;
	}
	const char *path = argv[1], *host = argv[2];
	unsigned long program = strtoul(argv[3], NULL, 10);
	unsigned int seconds = (unsigned int)atoi(argv[4]), tries = (unsigned int)atoi(argv[5]);

	load(path, &state);
	if (!state.ended) { /* rules 4 and 8 */
		outcome = ask(host, program, seconds, tries, true, &state.args);
		fprintf(stderr, "place_order: request %llu of an earlier run: %s\n",
			(unsigned long long)state.args.request, said[outcome]);
	} else if (argc > 7) {
		state.ended = FALSE;
		state.args.request++; /* rule 2 */
		set_order(&state.args.operation.jh_operation_u.order, argv[6], argv + 7, (unsigned int)argc - 7);
		save(path, &state); /* rule 3 */
		outcome = ask(host, program, seconds, tries, false, &state.args);
		fprintf(stderr, "place_order: request %llu: %s\n", (unsigned long long)state.args.request, said[outcome]);
	}
	if (outcome != UNKNOWN) {
		state.ended = TRUE;
		save(path, &state);
	}
	xdr_free((xdrproc_t)xdr_jh_place_args, (char *)&state.args);
	return (int)outcome;
}
