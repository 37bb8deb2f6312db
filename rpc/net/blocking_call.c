#include "rpc/net/blocking_call.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/limits.h"
#include "rpc/base/shortage.h"
#include "rpc/net/message.h"
#include "rpc/net/record.h"

#define XID 1 /* the connection carries one call */

bool blocking_wait(int fd, short events, uint64_t deadline_us, int cancel_fd)
{
	for (;;) {
		uint64_t now_us = rpc_clock_us();
		struct pollfd poll_fds[] = {{.fd = fd, .events = events},
					    {.fd = cancel_fd > 0 ? cancel_fd : -1, .events = POLLIN}};

		if (now_us >= deadline_us) {
			errno = ETIMEDOUT;
			return false;
		}

		int ready = poll(poll_fds, 2, (int)((deadline_us - now_us + 999) / 1000));

		if (ready > 0 && poll_fds[1].revents != 0) {
			errno = ECANCELED;
			return false;
		}
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
}

static bool wait_for(const struct blocking_call *call, int fd, short events)
{
	return blocking_wait(fd, events, call->deadline_us, call->cancel_fd);
}

static int connect_by(const struct blocking_call *call)
{
	const struct rpc_address *address = call->address;
	int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;
	socklen_t length = sizeof error;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0)
		return fd;
	if (errno != EINPROGRESS || !wait_for(call, fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		error = errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static bool send_by(const struct blocking_call *call, int fd, struct record_writer *output)
{
	const uint8_t *bytes;
	size_t size;

	while ((size = record_writer_pending(output, &bytes)) > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent > 0)
			record_writer_sent(output, (size_t)sent);
		else if ((errno != EAGAIN && errno != EINTR) || !wait_for(call, fd, POLLOUT))
			return false;
	}
	return true;
}

/* RECORD_MORE: errno says why no more bytes arrive. */
static enum record_status receive_by(const struct blocking_call *call, int fd, struct record_reader *input,
				     uint8_t *bytes, size_t bytes_size, const uint8_t **record, size_t *size)
{
	for (;;) {
		if (!wait_for(call, fd, POLLIN))
			return RECORD_MORE;

		ssize_t count = recv(fd, bytes, bytes_size, 0);

		if (count < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (count <= 0) {
			errno = count == 0 ? ECONNRESET : errno;
			return RECORD_MORE;
		}
		record_reader_feed(input, bytes, (size_t)count);

		enum record_status status = record_reader_next(input, record, size);

		if (status != RECORD_MORE)
			return status;
	}
}

static enum blocking_result decode_reply(const struct blocking_call *call, const uint8_t *record, size_t size,
					 char *error, size_t error_size)
{
	struct reply_head head;
	enum reply_verdict verdict = reply_head_parse(record, size, &head);
	XDR xdr;

	if (head.xid == XID && (verdict == REPLY_REJECTED || verdict == REPLY_FAILED)) {
		snprintf(error, error_size, "%s", head.why);
		if (verdict == REPLY_FAILED)
			return BLOCKING_FAILED;
		return head.no_program ? BLOCKING_STRANGER : BLOCKING_REJECTED;
	}
	if (verdict == REPLY_SUCCESS && head.xid == XID) {
		xdrmem_create(&xdr, (char *)(uintptr_t)(record + head.results_at), (u_int)(size - head.results_at),
			      XDR_DECODE);
		if (call->decode(&xdr, call->results, 0))
			return BLOCKING_ANSWERED;
		xdr_free(call->decode, call->results);
	}
	snprintf(error, error_size, "what answers there does not speak the protocol");
	return BLOCKING_UNREACHABLE;
}

/* The meaning of errno before the connection was established, and afterwards. */
static enum blocking_result failed(bool connected, char *error, size_t error_size)
{
	char why[SHORTAGE_TEXT];

	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		snprintf(error, error_size, "%s", shortage_text(errno, why, sizeof why));
		return BLOCKING_SHORT;
	case EAGAIN: /* a local listener whose backlog is full */
	case ECANCELED:
		snprintf(error, error_size, "%s", strerror(errno));
		return BLOCKING_LATE;
	default:
		snprintf(error, error_size, "%s", strerror(errno));
		return connected && errno == ETIMEDOUT ? BLOCKING_LATE : BLOCKING_UNREACHABLE;
	}
}

enum blocking_result blocking_call(const struct blocking_call *call, char *error, size_t error_size)
{
	_Alignas(16) uint8_t bytes[16384];
	struct record_writer output;
	struct record_reader input;
	const uint8_t *record;
	size_t size;
	enum blocking_result result = BLOCKING_UNREACHABLE;
	int fd = -1;

	record_writer_init(&output, LIMIT_RECORD_BYTES);
	record_reader_init(&input, LIMIT_RECORD_BYTES);
	if (!call_encode(&output, XID, call->program, call->version, call->procedure, call->encode, call->arguments)) {
		snprintf(error, error_size, "the arguments cannot be encoded");
		goto out;
	}
	fd = connect_by(call);
	if (fd < 0 || !send_by(call, fd, &output)) {
		result = failed(fd >= 0, error, error_size);
		goto out;
	}
	switch (receive_by(call, fd, &input, bytes, sizeof bytes, &record, &size)) {
	case RECORD_WHOLE:
		result = decode_reply(call, record, size, error, error_size);
		break;
	case RECORD_TOO_LONG:
		snprintf(error, error_size, "the answer is longer than %u bytes", LIMIT_RECORD_BYTES);
		break;
	case RECORD_MORE:
		result = failed(true, error, error_size);
		break;
	}
out:
	if (fd >= 0)
		close(fd);
	record_reader_free(&input);
	record_writer_free(&output);
	return result;
}
