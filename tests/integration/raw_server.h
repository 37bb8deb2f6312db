/* A TCP server on 127.0.0.1 whose records are read and written by hand: for answers that no stub
 * would give. One connection at a time. Whatever cannot be done ends the process, and says so. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_CALL_HEAD 24u /* up to the credentials */
#define RAW_MARK 4u       /* what a reply leaves free in front */

_Noreturn void raw_fail(const char *what);
/* Returns the listening socket; its port is in *port. Program 0: rpcbind does not know it. */
int raw_listen(rpcprog_t program, rpcvers_t version, uint16_t *port);
/* The next call of the connection, without its mark; its size, or 0: there is none. */
uint32_t raw_call(int fd, char *call, uint32_t room);
/* Sends what `xdr` encoded behind RAW_MARK bytes of `reply`. False: nobody reads it. */
bool raw_reply(int fd, char *reply, XDR *xdr);
void raw_put(XDR *xdr, uint32_t word);
