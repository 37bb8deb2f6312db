/* A hostile peer, for hostile_peer.sh: rpcgen's code for rpc/ and plain sockets, without the system's own runtime,
 * which might prevent what the peer should not do.
 *
 *     hostile_peer PORT PROGRAM ATTACK [COUNT]
 *
 * It prints the result of the attack as one line and exits with 0 when the daemon behaved correctly, with 1 when
 * not. Attacks that leave connections open ("hold") print their line, close standard output and wait to be killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hostile_calls.h"
#include "rpc/frontend.h"
#include "rpc/replica.h"

/* --- absurd lengths ----------------------------------------------------------------------------------------------- */

/* Arguments as words: valid up to an absurd length. */
static void expect_garbage(uint32_t procedure, const uint32_t *words, size_t count)
{
	static uint8_t record[CALL_BYTES];
	int fd = connect_or_fail();
	size_t size = make_call(record, 7, procedure, NULL, NULL);
	uint32_t answer[7];

	for (size_t i = 0; i < count; i++) {
		uint32_t word = htonl(words[i]);

		memcpy(record + size, &word, 4);
		size += 4;
	}
	answer[0] = htonl(0x80000000u | (uint32_t)(size - 4));
	memcpy(record, answer, 4);
	expect(send_all(fd, record, size), "send garbage");
	expect(receive_all(fd, answer, sizeof answer), "an answer to garbage");
	expect(ntohl(answer[6]) == GARBAGE_ARGS, "GARBAGE_ARGS");
	close(fd);
}

static void absurd_lengths(bool replica)
{
	static const uint32_t lengths[] = {0xffffffffu, 0xfffffffdu, 0x80000000u, 0x7fffffffu, 0x40000001u, 100000};

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		uint32_t length = lengths[i];

		if (replica) {
			/* PUSH: view, no record, no state, base, digest, last, commit, entries. INSTALL_VIEW: a
			 * view's members. */
			uint32_t push[] = {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, length};
			uint32_t body[] = {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, length};
			uint32_t install[] = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, length};

			expect_garbage(PUSH, push, sizeof push / 4);
			expect_garbage(PUSH, body, sizeof body / 4);
			expect_garbage(INSTALL_VIEW, install, sizeof install / 4);
		} else {
			/* PLACE_ORDER: client, request, timeout, kind, then customer; or postcode; or items. */
			uint32_t customer[] = {1, 2, 3, 4, 0, 1, 0, 1, length};
			uint32_t postcode[] = {1, 2, 3, 4, 0, 1, 0, 1, 0, length};
			uint32_t items[] = {1, 2, 3, 4, 0, 1, 0, 1, 0, 0, length};
			uint32_t read[] = {0, 1, length};

			expect_garbage(PLACE_ORDER, customer, sizeof customer / 4);
			expect_garbage(PLACE_ORDER, postcode, sizeof postcode / 4);
			expect_garbage(PLACE_ORDER, items, sizeof items / 4);
			expect_garbage(READ_HISTORY, read, sizeof read / 4);
		}
	}
	/* A record that announces two gigabytes, and one that comes in fragments without end. */
	int fd = connect_or_fail();

	expect(send_all(fd, "\xff\xff\xff\xff", 4), "send a mark");
	expect_closed(fd, "a record over the limit ends its connection");
	fd = connect_or_fail();
	for (int i = 0; i < 5000; i++) {
		static const uint8_t fragment[1028] = {0, 0, 4, 0};

		if (!send_all(fd, fragment, sizeof fragment))
			break;
	}
	expect_closed(fd, "fragments without end end their connection");
	puts("absurd lengths: refused");
}

/* --- many connections --------------------------------------------------------------------------------------------- */

static _Noreturn void hold(const char *line)
{
	puts(line);
	fflush(stdout);
	expect(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
	for (;;)
		pause();
}

static void room_for(unsigned connections)
{
	struct rlimit limit;

	expect(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	expect(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
	errno = EMFILE;
	expect(limit.rlim_cur > connections + 16, "descriptors: raise the hard limit of RLIMIT_NOFILE");
}

/* Each of `count` connections sends `size` bytes of a record of four megabytes that is never completed. */
static void half_records(unsigned count, size_t size)
{
	static uint8_t half[(4u << 20) - 100];
	uint32_t mark = htonl(0x80000000u | (4u << 20));
	unsigned held = 0;

	room_for(count);
	memcpy(half, &mark, 4);
	for (unsigned i = 0; i < count; i++) {
		int fd = try_connect();

		/* The daemon may close the connection. */
		if (fd >= 0 && send_all(fd, half, size))
			held++;
	}

	char line[80];

	snprintf(line, sizeof line, "half records: %u sent", held);
	hold(line);
}

/* `count` connections come and go, and stay open `at_once` at a time. */
static void churn(unsigned count, unsigned at_once)
{
	int *fds = malloc(at_once * sizeof *fds);

	expect(fds != NULL, "malloc");
	room_for(at_once);
	memset(fds, -1, at_once * sizeof *fds);
	for (unsigned i = 0; i < count; i++) {
		int *fd = &fds[i % at_once];

		if (*fd >= 0)
			close(*fd);
		*fd = connect_or_fail();
	}
	hold("connections: made");
}

/* --- endless calls ------------------------------------------------------------------------------------------------ */

/* Calls as fast as they are accepted, for `seconds`, on one connection; no answer is ever read. The daemon must stop
 * this: by no longer reading, or by closing. */
static void never_reads(uint32_t procedure, xdrproc_t encode, void *args, unsigned seconds)
{
	static uint8_t record[CALL_BYTES];
	size_t size = make_call(record, 1, procedure, encode, args);
	int fd = connect_or_fail();
	unsigned long calls = 0;
	bool stopped = false;
	struct timespec start, now;

	expect(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		ssize_t sent = send(fd, record, size, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN) {
			stopped = true;
			break;
		}
		if (sent < 0) {
			struct pollfd room = {.fd = fd, .events = POLLOUT};

			stopped = poll(&room, 1, 500) == 0;
			if (stopped)
				break;
		} else {
			calls++;
			/* The rest of a call that was cut: the stream must remain a stream of calls. */
			while (sent < (ssize_t)size) {
				struct pollfd room = {.fd = fd, .events = POLLOUT};
				ssize_t more = send(fd, record + sent, size - (size_t)sent, MSG_NOSIGNAL);

				if (more > 0)
					sent += more;
				else if (errno != EAGAIN || poll(&room, 1, 500) == 0) {
					stopped = true;
					break;
				}
			}
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (!stopped && now.tv_sec - start.tv_sec < (time_t)seconds);

	char line[80];

	snprintf(line, sizeof line, "never reads: %lu calls sent, then %s", calls,
		 stopped ? "stopped by the daemon" : "time was up");
	errno = 0;
	expect(stopped, line);
	hold(line);
}

static void reads_without_reading(unsigned seconds)
{
	char postcode[] = "DH1 3LE";
	jh_read_args args = {.timeout_ms = 60000, .query = {.kind = JH_QUERY_HISTORY}};

	args.query.jh_query_u.history = (jh_history_query){
		.postcode = {.postcode_len = 7, .postcode_val = postcode}, .limit = JH_PAGE_MAX};
	never_reads(READ_HISTORY, (xdrproc_t)xdr_jh_read_args, &args, seconds);
}

/* --- unknown peers of a replica ----------------------------------------------------------------------------------- */

static jh_identity stranger(uint32_t id, uint32_t base, uint8_t mark)
{
	jh_identity identity = {.format_low = JH_CLUSTER_FORMAT, .format_high = JH_CLUSTER_FORMAT,
				.program_base = base, .id = id,
				.purpose = id == 0 ? JH_PURPOSE_MANAGER : JH_PURPOSE_PUSH};

	memset(&identity.uuid, mark, sizeof identity.uuid);
	memset(&identity.incarnation, mark + 1, sizeof identity.incarnation);
	return identity;
}

static jh_hello_status say_hello(int fd, const jh_identity *me)
{
	jh_hello_args args = {.me = *me, .you = {.id = 0}};
	jh_hello_result result;

	memset(&result, 0, sizeof result);
	expect(call(fd, HELLO, (xdrproc_t)xdr_jh_hello_args, &args, (xdrproc_t)xdr_jh_hello_result, &result) == SUCCESS,
	       "a hello");

	jh_hello_status status = result.status;

	xdr_free((xdrproc_t)xdr_jh_hello_result, &result);
	return status;
}

/* Hellos that must be refused, each with its status. */
static void foreign_hellos(uint32_t base)
{
	int fd = connect_or_fail();
	jh_identity me = stranger(9, base, 0x77);

	memset(&me.cluster, 0x55, sizeof me.cluster);
	expect(say_hello(fd, &me) == JH_HELLO_CLUSTER, "another cluster is refused");
	me = stranger(0, base, 0x77);
	memset(&me.cluster, 0x55, sizeof me.cluster);
	expect(say_hello(fd, &me) == JH_HELLO_CLUSTER, "a front-end of another cluster is refused");
	me = stranger(9, base + 5000, 0x77);
	expect(say_hello(fd, &me) == JH_HELLO_FORMAT, "another program base is refused");
	me = stranger(9, base, 0x77);
	me.format_low = me.format_high = 99;
	expect(say_hello(fd, &me) == JH_HELLO_FORMAT, "another format is refused");
	me = stranger(5000, base, 0x77);
	expect(say_hello(fd, &me) == JH_HELLO_FORMAT, "an id that cannot be is refused");
	close(fd);
	puts("foreign hellos: refused");
}

static jh_push_status push_status(int fd, jh_push_args *push)
{
	jh_push_result result;

	memset(&result, 0, sizeof result);
	expect(call(fd, PUSH, (xdrproc_t)xdr_jh_push_args, push, (xdrproc_t)xdr_jh_push_result, &result) == SUCCESS,
	       "a push");

	jh_push_status status = result.status;

	xdr_free((xdrproc_t)xdr_jh_push_result, &result);
	return status;
}

/* One order of an unknown client, dated at the end of time. */
static uint32_t put_body(char *body)
{
	static const uint32_t words[] = {1, 2, 3, 4,	      0,	  1, 0x7fffffff, 0xffffffff, 1,
					 1, 0, 7, 0x44483120, 0x334c4500, 1, 4,		 0x65766964};

	for (size_t i = 0; i < sizeof words / 4; i++) {
		uint32_t word = htonl(words[i]);

		memcpy(body + i * 4, &word, 4);
	}
	return sizeof words;
}

/* Pushes, views, orders and reads without a hello, after a hello as a replica that is no member, and as a front-end
 * that this replica is not bound to. */
static void not_a_member(uint32_t base)
{
	char body[256];
	jh_log_entry entry = {.view = 1, .body = {.body_len = put_body(body), .body_val = body}};
	jh_member member = {.id = 9, .address = {.jh_address_len = 11, .jh_address_val = (char[]){"127.0.0.1:1"}}};
	jh_view record = {.number = 1u << 30, .primary = 9, .members = {.members_len = 1, .members_val = &member}};
	jh_push_args push = {.view = 1u << 30, .record = &record, .last_op = 1, .commit = 1,
			     .entries = {.entries_len = 1, .entries_val = &entry}};
	jh_install_args install = {.view = record};
	jh_submit_args submit = {.view = 1, .request = 1, .operation = {.kind = JH_OPERATION_ORDER}};
	jh_manage_result managed;
	jh_submit_result written;
	jh_identity replica = stranger(9, base, 0x77), manager = stranger(0, base, 0x66);

	memset(&member.uuid, 0x77, sizeof member.uuid);
	memset(&record.cluster, 0x55, sizeof record.cluster);
	memset(&record.generation, 0x55, sizeof record.generation);
	memset(&record.manager, 0x66, sizeof record.manager);
	install.view = record;
	for (int hello = 0; hello < 3; hello++) {
		int fd = connect_or_fail();

		if (hello > 0) {
			jh_hello_status status = say_hello(fd, hello == 1 ? &replica : &manager);

			expect(status == (hello == 1 ? JH_HELLO_OK : JH_HELLO_BOUND),
			       "a hello of one without a cluster");
		}
		expect(push_status(fd, &push) == JH_PUSH_REFUSED, "a stranger's push of a higher view is refused");
		push.record = NULL;
		push.view = 1;
		expect(push_status(fd, &push) != JH_PUSH_OK, "a stranger's push into the view is refused");
		push.base_op = UINT64_MAX;
		expect(push_status(fd, &push) == JH_PUSH_REFUSED, "a push past the end of all ops is refused");
		push.base_op = 0;
		push.view = 1u << 30;
		push.record = &record;
		memset(&managed, 0, sizeof managed);
		expect(call(fd, INSTALL_VIEW, (xdrproc_t)xdr_jh_install_args, &install, (xdrproc_t)xdr_jh_manage_result,
			    &managed) == SUCCESS &&
			       managed.status == JH_MANAGE_REFUSED,
		       "a stranger's view is refused");
		xdr_free((xdrproc_t)xdr_jh_manage_result, &managed);
		memset(&written, 0, sizeof written);
		expect(call(fd, SUBMIT, (xdrproc_t)xdr_jh_submit_args, &submit, (xdrproc_t)xdr_jh_submit_result,
			    &written) == SUCCESS &&
			       written.result.outcome == JH_MOVED,
		       "a stranger's order is not taken");
		xdr_free((xdrproc_t)xdr_jh_submit_result, &written);
		close(fd);
	}
	puts("not a member: refused");
}

/* Hellos on more connections than a replica keeps; it continues to answer members. */
static void hello_flood(uint32_t base, unsigned count)
{
	unsigned accepted = 0, refused = 0;

	room_for(count);
	for (unsigned i = 0; i < count; i++) {
		jh_identity me = stranger(9, base, (uint8_t)i);
		int fd = connect_or_fail();

		memcpy(me.uuid.bytes, &i, sizeof i);
		if (say_hello(fd, &me) == JH_HELLO_OK)
			accepted++;
		else
			refused++;
	}

	char line[80];

	snprintf(line, sizeof line, "hello flood: %u accepted, %u refused", accepted, refused);
	errno = 0;
	expect(refused > 0, line);
	hold(line);
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: hostile_peer PORT PROGRAM ATTACK [COUNT]\n");
		return 2;
	}
	peer_port = (uint16_t)atoi(argv[1]);
	peer_program = (uint32_t)strtoul(argv[2], NULL, 10);

	const char *attack = argv[3];
	uint32_t count = argc == 5 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
	bool of_clients = strcmp(attack, "lengths-frontend") == 0 || strcmp(attack, "never-reads") == 0;

	peer_version = of_clients ? JH_FRONTEND_V2 : JH_REPLICA_V1;

	if (strcmp(attack, "lengths-frontend") == 0)
		absurd_lengths(false);
	else if (strcmp(attack, "lengths-replica") == 0)
		absurd_lengths(true);
	else if (strcmp(attack, "half-records") == 0)
		half_records(count, (4u << 20) - 100);
	else if (strcmp(attack, "small-halves") == 0)
		half_records(count, 60000);
	else if (strcmp(attack, "churn") == 0)
		churn(count, 4000);
	else if (strcmp(attack, "never-reads") == 0)
		reads_without_reading(count);
	else if (strcmp(attack, "hellos") == 0)
		foreign_hellos(count);
	else if (strcmp(attack, "stranger") == 0)
		not_a_member(count);
	else if (strcmp(attack, "hello-flood") == 0)
		hello_flood(count, 400);
	else
		fail(attack);
	return 0;
}
