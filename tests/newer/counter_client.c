/* Sends operations of the kind "counter" to the front-end of a later program, one after the other as standard input says:
 *
 *     CLIENT REQUEST NUMBER CHANGE        CLIENT: up to 16 characters, which are its id
 *     CLIENT REQUEST void                 makes the request nothing
 *
 * and prints what each was told:
 *
 *     CLIENT REQUEST OUTCOME FINAL REASON OP [VALUE...]    FINAL: final, or "-"; REASON: its number
 *
 * OP: of the entry that did it, or of what the number became; 0: told by neither. VALUE: the new value, or the figures of the
 * reason. The program ends when a call gets no answer, or one that decides nothing: UNKNOWN, UNAVAILABLE.
 *
 *     counter_client PROGRAM-BASE [TIMEOUT-MS] */
#include <inttypes.h>
#include <rpc/rpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/frontend.h"

static void print_done(const jh_write_done *done)
{
	const jh_counter_changed *counter = &done->answer.jh_operation_answer_u.counter;

	printf("done %s 0", done->basis.final ? "final" : "-");
	if (done->answer.kind == JH_OPERATION_COUNTER)
		printf(" %" PRIu64 " %" PRId64, (uint64_t)counter->op, (int64_t)counter->value);
	else
		printf(" 0");
}

static void print_problem(const char *outcome, const jh_problem *problem)
{
	printf("%s %s %d %" PRIu64, outcome, problem->basis.final ? "final" : "-", (int)problem->reason,
	       problem->became == NULL ? 0 : (uint64_t)problem->became->op);
	for (u_int i = 0; i < problem->values.values_len; i++)
		printf(" %" PRId64, (int64_t)problem->values.values_val[i]);
}

static void print_result(const jh_write_result *result)
{
	static const char *const outcomes[] = {[JH_REFUSED] = "refused", [JH_UNKNOWN] = "unknown", [JH_UNAVAILABLE] = "unavailable",
					       [JH_MOVED] = "moved", [JH_KEY_REUSED] = "key_reused"};

	if (result->outcome == JH_DONE)
		print_done(&result->jh_write_result_u.done);
	else
		print_problem(outcomes[result->outcome], &result->jh_write_result_u.problem);
}

/* False when the line is none of the above. */
static bool_t parse(const char *line, jh_place_args *args)
{
	char name[17] = "", void_word[6] = "";
	jh_counter *counter = &args->operation.jh_operation_u.counter;
	u_quad_t request;
	int64_t change;
	int end = 0;

	if (sscanf(line, "%16s %" SCNu64 " %n", name, &request, &end) < 2)
		return FALSE;
	memcpy(args->client.bytes, name, sizeof args->client.bytes);
	args->request = request;
	args->operation.kind = JH_OPERATION_COUNTER;
	if (sscanf(line + end, "%u %" SCNd64, &counter->number, &change) == 2) {
		counter->change = change;
		return TRUE;
	}
	args->operation.kind = JH_OPERATION_VOID;
	return sscanf(line + end, "%5s", void_word) == 1 && strcmp(void_word, "void") == 0;
}

/* Sends the request of this line; returns the program's status when it ends here, else 0. */
static int ask(CLIENT *client, const char *line, u_int timeout_ms)
{
	jh_place_args args = {.timeout_ms = timeout_ms};
	jh_write_result result;
	jh_outcome outcome;

	if (!parse(line, &args)) {
		fprintf(stderr, "counter_client: no request: %s", line);
		return 2;
	}
	memset(&result, 0, sizeof result);
	if (place_order_2(&args, &result, client) != RPC_SUCCESS) {
		clnt_perror(client, "counter_client");
		return 1;
	}
	printf("%.16s %" PRIu64 " ", args.client.bytes, (uint64_t)args.request);
	print_result(&result);
	putchar('\n');
	fflush(stdout);
	outcome = result.outcome;
	clnt_freeres(client, (xdrproc_t)xdr_jh_write_result, (caddr_t)&result);
	return outcome == JH_UNKNOWN || outcome == JH_UNAVAILABLE ? 3 : 0;
}

int main(int argc, char **argv)
{
	u_int timeout_ms = argc > 2 ? (u_int)strtoul(argv[2], NULL, 10) : 30000;
	struct timeval timeout = {.tv_sec = 60};
	CLIENT *client;
	char line[128];
	int status = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: counter_client PROGRAM-BASE [TIMEOUT-MS]\n");
		return 2;
	}
	client = clnt_create("127.0.0.1", (rpcprog_t)strtoul(argv[1], NULL, 10), JH_FRONTEND_V2, "tcp");
	if (client == NULL) {
		clnt_pcreateerror("counter_client");
		return 4;
	}
	clnt_control(client, CLSET_TIMEOUT, (char *)&timeout);
	while (status == 0 && fgets(line, sizeof line, stdin) != NULL)
		status = ask(client, line, timeout_ms);
	clnt_destroy(client);
	return status;
}
