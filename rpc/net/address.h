/* Numeric TCP addresses in their three forms: text ("127.0.0.1:40001", "[::1]:40001"), sockaddr, and rpcbind's
 * universal address ("127.0.0.1.156.65", RFC 5665 section 5.2.3). Names are refused: nothing here asks a resolver. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct rpc_address {
	struct sockaddr_storage storage; /* AF_INET or AF_INET6 */
	socklen_t length;
};

#define RPC_ADDRESS_TEXT 64 /* bytes that hold any of the forms */

/* Accepts "192.0.2.1", "192.0.2.1:4711", "::1", "[::1]", "[::1]:4711"; without a port the port is 0. False when text is
 * anything else. */
bool rpc_address_parse(const char *text, struct rpc_address *address);

/* Writes "192.0.2.1:4711" or "[::1]:4711"; an IPv4 address mapped into IPv6 is written as IPv4. Anything but AF_INET
 * and AF_INET6 becomes "local". */
void rpc_address_format(const struct rpc_address *address, char *text, size_t size);

/* RFC 5665: h1.h2.h3.h4.p1.p2, the host in its usual spelling for IPv6. */
void rpc_address_to_universal(const struct rpc_address *address, char *text, size_t size);
bool rpc_address_from_universal(const char *text, struct rpc_address *address);

/* "tcp" or "tcp6". */
const char *rpc_address_netid(const struct rpc_address *address);

uint16_t rpc_address_port(const struct rpc_address *address);
void rpc_address_set_port(struct rpc_address *address, uint16_t port);
bool rpc_address_is_wildcard(const struct rpc_address *address);
bool rpc_address_is_loopback(const struct rpc_address *address);

/* Same family, host and port. */
bool rpc_address_same(const struct rpc_address *left, const struct rpc_address *right);
