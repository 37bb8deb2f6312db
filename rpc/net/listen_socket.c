#include "rpc/net/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void complain(const char *address, char *error, size_t error_size)
{
	const char *help = errno == EADDRINUSE	    ? ": stop what listens there or choose another port"
			   : errno == EADDRNOTAVAIL ? ": choose an address of this host"
			   : errno == EACCES	    ? ": choose a port above 1023"
						    : "";

	snprintf(error, error_size, "cannot listen on %s: %s%s", address, strerror(errno), help);
}

int listen_socket_bind(const char *address, struct rpc_address *bound, char *error, size_t error_size)
{
	if (!rpc_address_parse(address, bound)) {
		snprintf(error, error_size,
			 "cannot listen on \"%s\": give a numeric address such as 127.0.0.1:4711 or [::1]:4711",
			 address);
		return -1;
	}

	int fd = socket(bound->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		complain(address, error, error_size);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	/* As rpcbind itself does: "tcp" and "tcp6" are two netids, so [::] leaves 0.0.0.0 free. */
	if (bound->storage.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	if (bind(fd, (const struct sockaddr *)&bound->storage, bound->length) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound->storage, &bound->length) != 0) {
		complain(address, error, error_size);
		close(fd);
		return -1;
	}
	return fd;
}

bool listen_socket_begin(int fd, const char *address, int backlog, char *error, size_t error_size)
{
	if (listen(fd, backlog) == 0)
		return true;
	complain(address, error, error_size);
	close(fd);
	return false;
}

bool listen_socket_possible(const char *address, char *error, size_t error_size)
{
	struct rpc_address bound;
	int fd = listen_socket_bind(address, &bound, error, error_size);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
