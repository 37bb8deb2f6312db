#include "tests/unit/support_frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/command.h"
#include "rpc/net/server.h"

static pid_t frontend_pid;

void jh_frontend_2(struct svc_req *request, SVCXPRT *transport);

/* Weak: a test's own procedure replaces it. */
#define UNASKED(procedure, arguments, answer)                                                                    \
	__attribute__((weak)) bool_t procedure(arguments *args, answer *result, struct svc_req *request)         \
	{                                                                                                        \
		(void)args;                                                                                      \
		(void)result;                                                                                    \
		(void)request;                                                                                   \
		return FALSE;                                                                                    \
	}
UNASKED(place_order_2_svc, jh_place_args, jh_write_result)
UNASKED(read_history_2_svc, jh_read_args, jh_read_result)
UNASKED(cluster_status_2_svc, void, jh_cluster_status)
UNASKED(switchover_2_svc, jh_switchover_args, jh_admin_result)
UNASKED(promote_2_svc, jh_promote_args, jh_admin_result)
UNASKED(remove_2_svc, jh_remove_args, jh_admin_result)
UNASKED(upgrade_2_svc, void, jh_admin_result)
UNASKED(announce_2_svc, jh_announce_args, void)

int jh_frontend_2_freeresult(SVCXPRT *transport, xdrproc_t decode, caddr_t result)
{
	(void)transport;
	xdr_free(decode, result);
	return 1;
}

static _Noreturn void serve(char *address, uint32_t base, int ready)
{
	struct event_base *events = event_base_new();
	struct rpc_server_limits limits = rpc_server_limits_default();
	struct rpc_server *server = rpc_server_new(events, &limits);
	char error[256];

	rpc_server_register(server, PROGRAM_BASE_DEFAULT, JH_FRONTEND_V2, jh_frontend_2, NULL);
	if (base != PROGRAM_BASE_DEFAULT)
		rpc_server_register(server, base, JH_FRONTEND_V2, jh_frontend_2, NULL);
	if (!rpc_server_listen(server, address, address, FRONTEND_ADDRESS_SIZE, error, sizeof error) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	event_base_dispatch(events);
	_exit(0);
}

void *shared_with_frontend(size_t size)
{
	void *memory;

	signal(SIGPIPE, SIG_IGN);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

void fork_frontend(char address[FRONTEND_ADDRESS_SIZE], uint32_t base)
{
	int ready[2];
	char byte;

	if (!address[0])
		strcpy(address, "127.0.0.1:0");
	assert_int_equal(pipe(ready), 0);
	frontend_pid = fork();
	assert_true(frontend_pid >= 0);
	if (!frontend_pid)
		serve(address, base, ready[1]);
	close(ready[1]); /* so that one that could not start ends the wait */
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

void stop_frontend(void)
{
	if (!frontend_pid)
		return;
	kill(frontend_pid, SIGKILL);
	waitpid(frontend_pid, NULL, 0);
	frontend_pid = 0; /* the number may be another process's soon */
}

bool_t frontend_places(jh_write_result *result)
{
	result->outcome = JH_DONE;
	result->jh_write_result_u.done.answer.kind = JH_OPERATION_ORDER;
	result->jh_write_result_u.done.answer.jh_operation_answer_u.order.op = 7;
	return TRUE;
}

bool_t frontend_voids(jh_write_result *result)
{
	result->outcome = JH_DONE;
	result->jh_write_result_u.done.basis.final = TRUE;
	result->jh_write_result_u.done.answer.kind = JH_OPERATION_VOID;
	return TRUE;
}

bool_t frontend_complains(jh_problem *problem, jh_reason reason, const char *why)
{
	problem->reason = reason;
	problem->error.jh_text_val = strdup(why);
	problem->error.jh_text_len = (u_int)strlen(why);
	return TRUE;
}
