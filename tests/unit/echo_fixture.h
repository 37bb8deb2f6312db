/* An echo server on a loop of its own, driven step by step by a test: one thread, no sleeps, every wait is for a
 * condition. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echo.h"
#include "rpc/net/server.h"

#define ECHO_HELD 1024

struct echo {
	struct event_base *base;
	struct rpc_server *server;
	char address[64];
	struct rpc_call *held[ECHO_HELD]; /* calls of ECHO_LATER, oldest first */
	unsigned held_values[ECHO_HELD];
	size_t held_count;
	unsigned now_calls, fill_calls, turn_ends, closes;
	unsigned burn_us;     /* ECHO_NOW takes that long */
	bool pin_callers;     /* ECHO_NOW pins its connection */
	bool close_callers;   /* ECHO_NOW closes its own connection before it answers */
};

/* rpcgen's dispatch function, also for serving under other program numbers; context: the struct echo. */
void echo_program_1(struct svc_req *request, SVCXPRT *transport);

/* limits: NULL for the defaults. */
void echo_open(struct echo *echo, const struct rpc_server_limits *limits);
void echo_close(struct echo *echo);

/* Answers the held call at `index` with value + 1 and removes it from the list. */
void echo_answer(struct echo *echo, size_t index);

/* One iteration of the loop; fails the test when nothing happens for 10 seconds. */
void echo_step(struct event_base *base);
/* Everything that is ready now. */
void echo_settle(struct event_base *base);

#define echo_until(base, condition)            \
	do {                                   \
		while (!(condition))           \
			echo_step(base);       \
	} while (0)

/* --- a raw peer: its own bytes on a socket ------------------------------------------------------------------------ */

int raw_connect(const struct echo *echo); /* non-blocking */
void raw_send(int fd, const void *bytes, size_t size);

/* Writes a call of ECHO_PROGRAM with one unsigned argument, record mark included, and returns its size. */
size_t raw_call(uint8_t *bytes, uint32_t xid, uint32_t procedure, uint32_t argument);
void raw_send_call(int fd, uint32_t xid, uint32_t procedure, uint32_t argument);

/* The next whole reply, waiting for it in the loop. Returns its words without the mark, in host order: xid, REPLY,
 * ... */
size_t raw_reply(const struct echo *echo, int fd, uint32_t *words, size_t words_max);
/* Waits for a reply that must be a success with one word as its result; returns it. */
uint32_t raw_success(const struct echo *echo, int fd, uint32_t xid);
/* Waits until the server has closed the connection. */
void raw_expect_close(const struct echo *echo, int fd);
/* Readable bytes are left alone; true when the server has not closed. */
bool raw_is_open(int fd);

/* Limits that a test can reach: 4 connections, 8 calls in flight, records of 1 KiB. */
struct rpc_server_limits echo_small_limits(void);
/* A well-behaved peer, as proof that others are not delayed. */
void echo_expect_prompt_answer(struct echo *echo);
