#include "rpc/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool set_host(const char *host, struct rpc_address *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address->storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->storage;

	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		address->length = sizeof *v4;
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		address->length = sizeof *v6;
		return true;
	}
	return false;
}

/* Digits only: strtoul alone would accept "+1" and " 1" and wrap a long number. */
static bool parse_number(const char *text, unsigned long highest, unsigned long *number)
{
	size_t length = strspn(text, "0123456789");

	if (length == 0 || length > 5 || text[length] != '\0')
		return false;
	*number = strtoul(text, NULL, 10);
	return *number <= highest;
}

bool rpc_address_parse(const char *text, struct rpc_address *address)
{
	char host[RPC_ADDRESS_TEXT];
	const char *port = NULL;
	const char *first_colon = strchr(text, ':');
	size_t length = strlen(text);
	unsigned long number = 0;

	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':') || memchr(text, ':', (size_t)(end - text)) == NULL)
			return false;
		port = end[1] == ':' ? end + 2 : NULL;
		text++;
		length = (size_t)(end - text);
	} else if (first_colon != NULL && first_colon == strrchr(text, ':')) {
		port = first_colon + 1;
		length = (size_t)(first_colon - text);
	}
	if (length >= sizeof host)
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	if (!set_host(host, address))
		return false;
	if (port != NULL && !parse_number(port, 65535, &number))
		return false;
	rpc_address_set_port(address, (uint16_t)number);
	return true;
}

/* The host's usual spelling; true when it needs brackets before a port. */
static bool host_text(const struct rpc_address *address, char *host, socklen_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;

	if (address->storage.ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, size);
		return false;
	}
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, size);
		return false;
	}
	inet_ntop(AF_INET6, &v6->sin6_addr, host, size);
	return true;
}

void rpc_address_format(const struct rpc_address *address, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN];

	if (address->storage.ss_family != AF_INET && address->storage.ss_family != AF_INET6) {
		snprintf(text, size, "local");
		return;
	}
	bool brackets = host_text(address, host, sizeof host);

	snprintf(text, size, "%s%s%s:%u", brackets ? "[" : "", host, brackets ? "]" : "", rpc_address_port(address));
}

void rpc_address_to_universal(const struct rpc_address *address, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	unsigned port = rpc_address_port(address);

	host_text(address, host, sizeof host);
	snprintf(text, size, "%s.%u.%u", host, port >> 8, port & 255u);
}

bool rpc_address_from_universal(const char *text, struct rpc_address *address)
{
	char host[RPC_ADDRESS_TEXT];
	unsigned long high;
	unsigned long low;

	if (strlen(text) >= sizeof host)
		return false;
	snprintf(host, sizeof host, "%s", text);

	char *dot = strrchr(host, '.');

	if (dot == NULL || !parse_number(dot + 1, 255, &low))
		return false;
	*dot = '\0';
	dot = strrchr(host, '.');
	if (dot == NULL || !parse_number(dot + 1, 255, &high))
		return false;
	*dot = '\0';
	if (!set_host(host, address))
		return false;
	rpc_address_set_port(address, (uint16_t)(high << 8 | low));
	return true;
}

const char *rpc_address_netid(const struct rpc_address *address)
{
	return address->storage.ss_family == AF_INET6 ? "tcp6" : "tcp";
}

uint16_t rpc_address_port(const struct rpc_address *address)
{
	if (address->storage.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
}

void rpc_address_set_port(struct rpc_address *address, uint16_t port)
{
	if (address->storage.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
}

bool rpc_address_is_wildcard(const struct rpc_address *address)
{
	if (address->storage.ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)&address->storage)->sin6_addr);
	return ((const struct sockaddr_in *)&address->storage)->sin_addr.s_addr == htonl(INADDR_ANY);
}

bool rpc_address_is_loopback(const struct rpc_address *address)
{
	if (address->storage.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&address->storage)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)&address->storage)->sin_addr.s_addr) >> 24 == 127;
}

bool rpc_address_same(const struct rpc_address *left, const struct rpc_address *right)
{
	if (left->storage.ss_family != right->storage.ss_family || rpc_address_port(left) != rpc_address_port(right))
		return false;
	if (left->storage.ss_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)&left->storage)->sin6_addr,
					  &((const struct sockaddr_in6 *)&right->storage)->sin6_addr);
	return left->storage.ss_family == AF_INET &&
	       ((const struct sockaddr_in *)&left->storage)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)&right->storage)->sin_addr.s_addr;
}
