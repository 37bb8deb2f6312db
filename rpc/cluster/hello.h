/* The hello that opens a connection to a replica, from the side of the caller: sending it and reading the answer (rule
 * 17). What follows from that answer is for the caller to decide.
 *
 * Two programs of different cluster formats can still tell each other which is older (docs/formats.md), because every
 * format keeps these parts of a hello: the range of formats is the first two words of the arguments; the answer begins with
 * the status, the text, and the range of the answering side. Before format 3 a range was a single word. Nothing else of a
 * hello is read when the two have no format in common. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/cluster/protocol.h"
#include "rpc/net/channel.h"
#include "rpc/replica.h"

/* As an xdrproc_t: the formats of a hello's arguments, which are left in place. False when these begin with something else. */
bool_t hello_formats(XDR *xdr, struct format_range *formats);

/* Decodes an answer into zeroed memory; without a format in common only what every format keeps, with status JH_HELLO_FORMAT. False
 * when it is no answer to a hello. Free with xdr_jh_hello_result. */
bool hello_decode(const struct rpc_reply *reply, jh_hello_result *result);

/* Sends the hello; `answered` passes the reply to hello_read. */
void hello_say(struct rpc_channel *channel, const struct identity *me, const struct identity *you, rpc_reply_fn answered,
	       void *context);

struct hello_answer {
	enum hello_status status;
	char text[JH_TEXT_MAX];   /* why not */
	bool is_understood;       /* the answering side understood the hello: otherwise neither of these is set */
	struct identity identity; /* of the answering side */
	struct report report;     /* only the id, where the status is a refusal without further information */
};

/* What the replica `id` said. them, us: as in format_range_explain. False with one line in answer->text when it makes no
 * sense: nothing that this process says afterwards can be trusted either. Not for RPC_LOST. */
bool hello_read(const struct rpc_reply *reply, uint32_t id, const char *them, const char *us, struct hello_answer *answer);
