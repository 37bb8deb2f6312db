#include "hostile_calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000

uint16_t peer_port;
uint32_t peer_program, peer_version;

_Noreturn void fail(const char *what)
{
	printf("hostile_peer: FAILED: %s: %s\n", what, strerror(errno));
	exit(1);
}

void expect(bool condition, const char *what)
{
	if (!condition)
		fail(what);
}

int try_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(peer_port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

int connect_or_fail(void)
{
	int fd = try_connect();

	expect(fd >= 0, "connect");
	return fd;
}

bool send_all(int fd, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Waits for bytes or the end; false after PATIENCE_MS. */
static bool readable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, PATIENCE_MS) == 1;
}

bool receive_all(int fd, void *bytes, size_t size)
{
	uint8_t *at = bytes;

	while (size > 0) {
		if (!readable(fd))
			return false;

		ssize_t got = recv(fd, at, size, 0);

		if (got <= 0)
			return false;
		at += got;
		size -= (size_t)got;
	}
	return true;
}

void expect_closed(int fd, const char *what)
{
	char byte;

	expect(readable(fd), what);
	expect(recv(fd, &byte, 1, 0) <= 0, what);
	close(fd);
}

size_t make_call(uint8_t *record, uint32_t xid, uint32_t procedure, xdrproc_t encode, void *args)
{
	uint32_t head[] =
		{0, htonl(xid), htonl(CALL), htonl(RPC_MSG_VERSION), htonl(peer_program), htonl(peer_version), htonl(procedure), 0, 0,
		 0, 0};
	XDR xdr;
	size_t size = sizeof head;

	xdrmem_create(&xdr, (char *)record + size, CALL_BYTES - (u_int)size, XDR_ENCODE);
	if (encode != NULL)
		expect(encode(&xdr, args, 0), "encode");
	size += xdr_getpos(&xdr);
	head[0] = htonl(0x80000000u | (uint32_t)(size - 4));
	memcpy(record, head, sizeof head);
	return size;
}

enum accept_stat call(int fd, uint32_t procedure, xdrproc_t encode, void *args, xdrproc_t decode, void *results)
{
	static uint8_t record[CALL_BYTES];
	static uint32_t xid = 100;
	uint32_t mark, words[6];
	size_t size = make_call(record, ++xid, procedure, encode, args);
	XDR xdr;

	expect(send_all(fd, record, size), "send a call");
	expect(receive_all(fd, &mark, 4), "an answer");
	size = ntohl(mark) & 0x7fffffffu;
	expect(size >= sizeof words && size <= sizeof record, "an answer of some size");
	expect(receive_all(fd, record, size), "a whole answer");
	memcpy(words, record, sizeof words);
	expect(ntohl(words[0]) == xid && ntohl(words[1]) == REPLY && ntohl(words[2]) == MSG_ACCEPTED,
	       "an answer to this call");
	if (ntohl(words[5]) == SUCCESS && decode != NULL) {
		xdrmem_create(&xdr, (char *)record + sizeof words, (u_int)(size - sizeof words), XDR_DECODE);
		expect(decode(&xdr, results, 0), "an answer that decodes");
	}
	return (enum accept_stat)ntohl(words[5]);
}
