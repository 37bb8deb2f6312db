/* Sockets and calls for hostile_peer.c: rpc/ and plain sockets, without the system's own runtime. Any error ends the
 * process with a line. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_BYTES (1u << 20)

/* Of the daemon. */
extern uint16_t peer_port;
extern uint32_t peer_program, peer_version;

_Noreturn void fail(const char *what);
void expect(bool condition, const char *what);
/* Connected, or -1 with errno. */
int try_connect(void);
int connect_or_fail(void);
bool send_all(int fd, const void *bytes, size_t size);
bool receive_all(int fd, void *bytes, size_t size);
/* The daemon closes this connection. */
void expect_closed(int fd, const char *what);
/* A whole record with a call in it; returns its size. */
size_t make_call(uint8_t *record, uint32_t xid, uint32_t procedure, xdrproc_t encode, void *args);
/* Makes the call and reads its answer: the accept status (RFC 5531), and the results, decoded, if there are any. */
enum accept_stat call(int fd, uint32_t procedure, xdrproc_t encode, void *args, xdrproc_t decode, void *results);
