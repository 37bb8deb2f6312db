/* One encoded operation (struct jh_body of rpc/shop.x) read in place, and written. By hand and not through libtirpc,
 * because it stands in the way of every order of a start and of a catch-up; a test holds it against rpcgen's own
 * converter. Only the one canonical encoding is accepted, so that equal orders have equal bytes, digests and
 * repeats. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/limits.h"
#include "rpc/base/uuid.h"
#include "server/machine/orders.h"

#define BODY_CLIENT_OFFSET 0
#define BODY_REQUEST_OFFSET 16

/* Texts are borrowed from the bytes that were read. */
struct body {
	struct uuid client;
	uint64_t request;
	int64_t time_us;
	uint32_t check;      /* enum jh_check */
	const void *content; /* the operation alone: what the client said, nothing that the primary assigns */
	size_t content_size;
	struct order_text customer;
	struct order_text postcode;
	uint32_t items_count;
	struct order_text items[LIMIT_ITEMS]; /* the first items_count are set */
};

/* False when bytes are anything but one canonical body: cut, trailing bytes, padding that is not zero, a text over
 * its limit, an unknown kind or check, no items or an empty one. */
bool body_parse(const void *bytes, size_t size, struct body *body);

/* Writes a body (content and content_size are not read); returns its size, or 0 when it does not fit in size bytes
 * or breaks a limit. LIMIT_BODY_BYTES always suffice. */
size_t body_encode(const struct body *body, void *out, size_t size);

/* Into bytes that body_encode made: what the primary assigns, and finds out only after it has encoded the rest. */
void body_assign_time(void *bytes, int64_t time_us);
void body_assign_check(void *bytes, uint32_t check);
/* What the client said, nothing that the primary assigns: body_parse's content, of bytes that body_encode made. */
const void *body_content(const void *bytes, size_t size, size_t *content_size);
