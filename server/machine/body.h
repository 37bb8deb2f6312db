/* One encoded operation, struct jh_body of rpc/shop.x: the client's identity, what the primary assigns, and the
 * content, which only its kind understands (operation.h). A test compares it with rpcgen's own converter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "rpc/base/uuid.h"
#include "server/machine/encoding.h"
#include "server/machine/outcome.h"

/* Texts and content are borrowed from the bytes that were read. */
struct body {
	uint32_t format; /* whose rules it is applied by */
	struct uuid client;
	uint64_t request;
	int64_t time_us;
	uint32_t check;         /* enum jh_check */
	struct text_span actor; /* often empty */
	struct text_span note;  /* often empty */
	bool forgotten;         /* its content was erased; it had this outcome and this content digest: */
	struct outcome outcome;
	struct digest content_digest;
	uint32_t kind;       /* enum jh_operation_kind */
	const void *content; /* after the kind */
	size_t content_size;
};

/* False when bytes are too short, or anything before the kind is not canonical. Whether the content is canonical is for its kind
 * to say. */
bool body_parse(const void *bytes, size_t size, struct body *body);
/* Of bytes that body_parse has accepted. */
struct uuid body_client(const void *bytes);
uint64_t body_request(const void *bytes);
int64_t body_time_us(const void *bytes);

/* Everything but the content, which the caller appends. */
void body_encode_head(const struct body *body, struct encoder *encoder);

/* Set fields in encoded bytes: values that the primary assigns, and knows only after it has encoded the rest. */
void body_assign_format(void *bytes, uint32_t format);
void body_assign_time(void *bytes, int64_t time_us);
void body_assign_check(void *bytes, uint32_t check);

/* The client's part, kind, content and note, without what the primary assigns: equal for a repeat (rule 11). */
struct digest body_content_digest(const struct body *body);

/* Of everything before the content, at most: with actor, note, and what is known of what was forgotten. */
#define BODY_HEAD_BYTES (48 + (4 + 64) + (4 + 256) + 4 + OUTCOME_BYTES + 16)

/* Client and request as a key; equal to the bytes of a body from BODY_KEY_OFFSET on. */
#define BODY_KEY_OFFSET 4
#define BODY_KEY_BYTES 24
void body_key(struct uuid client, uint64_t request, uint8_t key[static BODY_KEY_BYTES]);
