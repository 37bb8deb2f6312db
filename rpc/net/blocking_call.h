/* One ONC RPC call on a connection of its own, for threads that may wait. The deadline is for the whole of it,
 * connecting included: a peer that trickles bytes, or accepts and stays silent, cannot hold the caller any longer. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/net/address.h"

struct blocking_call {
	const struct rpc_address *address; /* AF_INET, AF_INET6 or AF_UNIX */
	rpcprog_t program;
	rpcvers_t version;
	rpcproc_t procedure;
	xdrproc_t encode;
	void *arguments;
	xdrproc_t decode;
	void *results;        /* zeroed by the caller, who frees it with xdr_free after BLOCKING_ANSWERED */
	uint64_t deadline_us; /* rpc_clock_us */
	int cancel_fd;        /* when readable, the caller gives up at once. 0: none (0 to 2 are never one) */
};

enum blocking_result {
	BLOCKING_ANSWERED,
	BLOCKING_REJECTED,    /* the peer rejected the call: certainly not executed */
	BLOCKING_STRANGER,    /* the peer serves other programs only: certainly not executed */
	BLOCKING_FAILED,      /* the peer had a system error: may have been executed */
	BLOCKING_LATE,        /* the peer has not answered in time (or the caller gave up): a longer wait may help;
				 may have been executed */
	BLOCKING_SHORT,       /* this process, or this host, lacks a descriptor or memory for it */
	BLOCKING_UNREACHABLE  /* nothing listens there, there is no route, or it is no RPC server */
};

/* Waits until fd is ready for `events` of poll(2). False with errno: ETIMEDOUT when the deadline (rpc_clock_us) passes
 * first, ECANCELED when cancel_fd becomes readable (0: none). */
bool blocking_wait(int fd, short events, uint64_t deadline_us, int cancel_fd);

/* `error`: one short clause why, unless it was answered. */
enum blocking_result blocking_call(const struct blocking_call *call, char *error, size_t error_size);
