/* The head of a reply message (RFC 5531 section 9), as a client sees it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reply_verdict {
	REPLY_SUCCESS,  /* the results start at results_at */
	REPLY_NEGATIVE, /* well formed, but no: `why` */
	REPLY_GARBAGE   /* no reply message */
};

struct reply_head {
	uint32_t xid;
	size_t results_at;
	char why[96];
};

enum reply_verdict reply_head_parse(const uint8_t *record, size_t size, struct reply_head *head);

#define CALL_HEAD_BYTES 40u

/* Writes the head of a call with AUTH_NONE, CALL_HEAD_BYTES long. */
void call_head_write(int32_t *words, uint32_t xid, uint32_t program, uint32_t version, uint32_t procedure);
