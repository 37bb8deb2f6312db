/* What the processes of the world say to each other, and the connections it is said on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/peers/speaker.h"
#include "server/replica/replica.h"

struct call;
struct world;
struct world_event;

enum message_kind {
	MSG_HELLO, MSG_HEARTBEAT, MSG_WATCH, MSG_INSTALL, MSG_BIND, MSG_SUBMIT, MSG_QUERY, MSG_PUSH, MSG_PING,
	MSG_REPLY_HELLO, MSG_REPLY_REPORT, MSG_REPLY_WATCH, MSG_REPLY_INSTALL, MSG_REPLY_BIND, MSG_REPLY_SUBMIT,
	MSG_REPLY_QUERY, MSG_REPLY_PUSH, MSG_REPLY_PING,
	MSG_CLOSED
};

struct hello {
	struct identity me, you;
	enum hello_status status;
	char text[64];
	struct report report;
};

struct managing { /* HEARTBEAT, INSTALL, BIND */
	struct view view;
	uint64_t number;
	bool has_peers;
	struct peers peers;
	bool retire, take_over;
	struct uuid manager;
};

struct managed {
	bool ok;
	struct report report;
};

struct asking { /* SUBMIT, QUERY */
	uint64_t view, floor, request, content;
	bool at_primary;
	uint32_t client;
};

/* Of a write: what server/answers.c makes of a verdict. */
enum told {
	TOLD_DONE,
	TOLD_REFUSED_FOR_GOOD, /* a kept refusal; void; a VOID of what was done */
	TOLD_REUSED,           /* the number belongs to other content */
	TOLD_REFUSED,          /* this call */
	TOLD_UNAVAILABLE,
	TOLD_BUSY,
	TOLD_MOVED
};

struct answering {
	enum replica_verdict verdict; /* of a write, */
	enum told told;               /* and what is made of it */
	bool moved;                   /* of a read */
	uint64_t op;                  /* of a write: the entry that it rests on */
	uint64_t shows;               /* the history up to here */
};

struct world_entry {
	uint64_t view;
	uint32_t body;
};

struct pushing {
	struct replica_push push;
	struct view record;
	uint64_t init, total; /* of the state */
	uint32_t pieces_count;
	uint32_t *pieces;
	struct world_entry *entries;
};

struct message {
	struct message *next;
	enum message_kind kind;
	uint64_t call;
	union {
		struct hello *hello;
		struct managing *managing;
		struct managed *managed;
		struct asking asking;
		struct answering answering;
		struct pushing *pushing;
		struct replica_ack ack;
		uint64_t seen;
	};
};

#define CLIENT_END 0
#define SERVER_END 1

/* One TCP connection: two queues, each in order. */
struct conn {
	struct conn *next;
	uint32_t process[2], life[2];   /* of each end */
	bool open[2];
	bool broken;                    /* what is sent from now on arrives nowhere */
	bool refused;
	struct message *head[2], *tail[2]; /* towards each end */
	/* the server's side */
	bool established;               /* its hello was good: */
	struct speaker speaker;
	struct call *watch;
	/* the client's side */
	bool up;
	uint32_t id;
	struct uuid uuid, incarnation;
	bool watching;
	uint64_t news;
	uint32_t heartbeats;
	struct peers told;
	bool full;                      /* the other end said that its disk is */
};

struct conn *net_open(struct world *w, uint32_t from, uint32_t to, const char *address);
void net_send(struct world *w, struct conn *conn, uint32_t from_end, const struct message *message);
void net_close(struct world *w, struct conn *conn, uint32_t end);
void net_break(struct world *w, struct conn *conn);
void net_kill(struct world *w, uint32_t process);
void net_deliver(struct world *w, const struct world_event *event);
void net_free(struct world *w);
uint32_t net_life(const struct world *w, uint32_t process);
uint64_t net_paused_until(const struct world *w, uint32_t process);
