#include "client/place.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "rpc/base/clock.h"
#include "rpc/net/address.h"
#include "rpc/net/resolve.h"

#define ADDRESSES_MAX 8

/* Digits only, 1 to 65535; 0: not a port. */
static uint16_t port_of(const char *text)
{
	size_t size = strlen(text);
	unsigned int number = 0;

	if (size == 0 || size > 5 || strspn(text, "0123456789") != size)
		return 0;
	sscanf(text, "%u", &number); /* NOLINT(cert-err34-c): five digits at most */
	return number <= UINT16_MAX ? (uint16_t)number : 0;
}

bool place_has_port(const char *text, char host[static PLACE_HOST], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[';
	size_t size;

	if (colon == NULL || (bracketed ? colon[-1] != ']' : strchr(text, ':') != colon))
		return false;
	size = (size_t)(colon - text) - (bracketed ? 2 : 0);
	*port = port_of(colon + 1);
	if (*port == 0 || colon == text || size == 0 || size >= PLACE_HOST)
		return false;
	memcpy(host, text + bracketed, size);
	host[size] = '\0';
	return true;
}

bool place_is_malformed(const char *text)
{
	struct rpc_address parsed;
	char host[PLACE_HOST];
	uint16_t port;

	if (text[0] == '[')
		return !rpc_address_parse(text, &parsed) || (strstr(text, "]:") != NULL && !place_has_port(text, host, &port));
	return strchr(text, ':') != NULL && strchr(text, ':') == strrchr(text, ':') && !place_has_port(text, host, &port);
}

static int resolve(const char *host, uint16_t port, uint32_t timeout_ms, struct rpc_address addresses[static ADDRESSES_MAX],
		   char *error, size_t error_size)
{
	/* It means the loopback of both families, whatever a hosts file says, and a front-end may listen on only one
	 * of them. */
	if (strcmp(host, "localhost") == 0) {
		rpc_address_parse("127.0.0.1", &addresses[0]);
		rpc_address_parse("::1", &addresses[1]);
		rpc_address_set_port(&addresses[0], port);
		rpc_address_set_port(&addresses[1], port);
		return 2;
	}
	return resolve_host(host, port, rpc_clock_us() + timeout_ms * 1000ull, interrupt_fd(), addresses, ADDRESSES_MAX, error,
			    error_size);
}

bool place_resolve(const char *host, uint16_t port, unsigned int turn, uint32_t timeout_ms, char address[static 64],
		   char *error, size_t error_size)
{
	struct rpc_address addresses[ADDRESSES_MAX];
	char why[128] = "";
	int count = resolve(host, port, timeout_ms, addresses, why, sizeof why);

	if (count == 0) {
		snprintf(error, error_size, "cannot find host %s: %s", host, why);
		return false;
	}
	rpc_address_format(&addresses[turn % (unsigned int)count], address, 64);
	return true;
}

/* A socket can be bound only to addresses of this host. */
static bool is_own(const struct rpc_address *address)
{
	int fd = socket(address->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool own = fd >= 0 && bind(fd, (const struct sockaddr *)&address->storage, address->length) == 0;

	if (fd >= 0)
		close(fd);
	return own;
}

bool place_is_here(const char *host, uint32_t timeout_ms)
{
	struct rpc_address addresses[ADDRESSES_MAX];
	char why[128];
	int count = resolve(host, 0, timeout_ms, addresses, why, sizeof why);

	for (int i = 0; i < count; i++) {
		if (rpc_address_is_loopback(&addresses[i]) || is_own(&addresses[i]))
			return true;
	}
	return count == 0; /* unknown: then nothing is said about it */
}
