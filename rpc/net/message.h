/* The messages of RFC 5531 section 9 as a client writes and reads them: whole calls, and the head of a reply. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/net/record.h"

enum reply_verdict {
	REPLY_SUCCESS,  /* the results start at results_at */
	REPLY_REJECTED, /* `why`; the procedure was certainly not executed */
	REPLY_FAILED,   /* SYSTEM_ERR: `why`; proves nothing */
	REPLY_GARBAGE   /* no reply message */
};

struct reply_head {
	uint32_t xid;
	size_t results_at;
	bool no_program; /* REPLY_REJECTED: the process that answers serves another program: it is not the one meant */
	uint32_t version_low, version_high; /* REPLY_REJECTED for the version: those that the peer serves; else 0 */
	char why[96];
};

enum reply_verdict reply_head_parse(const uint8_t *record, size_t size, struct reply_head *head);

/* Encodes a call with AUTH_NONE into a record of its own. False, with nothing written, when the arguments do not
 * encode or are longer than a record may be. */
bool call_encode(struct record_writer *writer, uint32_t xid, rpcprog_t program, rpcvers_t version, rpcproc_t procedure,
		 xdrproc_t encode, void *arguments);
