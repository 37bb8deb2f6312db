/* A TCP server on 127.0.0.1 whose records are read and written by hand: for answers that no stub would give. One
 * connection at a time. Any failure ends the process with a message. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_CALL_HEAD 24u /* up to the credentials */
#define RAW_MARK 4u       /* space that a reply leaves free in front */

_Noreturn void raw_fail(const char *what);
/* Returns the listening socket; its port is in *port. Program 0: it is not registered with rpcbind. */
int raw_listen(rpcprog_t program, rpcvers_t version, uint16_t *port);
/* The next call of the connection, without its mark; its size, or 0: there is none. */
uint32_t raw_call(int fd, char *call, uint32_t room);
uint32_t raw_word(const char *call, unsigned int word);
/* Begins the answer to that call: accepted, and done; what is put next are its results. */
void raw_accept(XDR *xdr, char *reply, uint32_t room, const char *call);
void raw_put(XDR *xdr, uint32_t word);
/* Sends what `xdr` encoded after RAW_MARK bytes of `reply`. False: the peer does not read it. */
bool raw_reply(int fd, char *reply, XDR *xdr);

/* A rejection of RFC 5531 section 9. */
struct raw_rejection {
	const char *name;  /* there, without a prefix */
	const char *heard; /* by a stock client: of its enum clnt_stat */
	uint32_t words[6]; /* behind xid and REPLY */
	unsigned int count;
};
/* By either name; NULL: there is none. */
const struct raw_rejection *raw_rejection(const char *name);
bool raw_reject(int fd, const char *call, const struct raw_rejection *rejection);

/* Serves one connection after the other, each until `serve` returns. */
_Noreturn void raw_serve(int listener, void (*serve)(int fd, const char *way), const char *way);
