/* The order history: the replicated state, its indexes and nothing else. Append-only: order i never changes, so the
 * state "as of op c" is its first orders, and it can be read, encoded and sent while newer orders arrive. It is
 * given encoded operations (struct jh_body of rpc/shop.x, XDR) and keeps exactly those bytes. It does no I/O, reads
 * no clock, and no single call takes long: indexes grow a step an order (linear hashing; no rehash of everything),
 * memory comes in chunks.
 *
 * The client table is an index over the history (rule 11): nothing is forgotten while its order exists. Memory: at
 * most 100 bytes an order beside its encoded bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/base/digest.h"
#include "rpc/base/uuid.h"

struct orders;

#define ORDERS_LOADED_MAX 100000 /* that a replica may be loaded with, beside those that --max-orders allows */

/* An order as it is kept; texts are borrowed from the history, valid as long as it is, and not NUL-terminated. */
struct order_text {
	const char *bytes;
	uint32_t size;
};

struct order_view {
	uint64_t op;         /* 0: loaded at the start, before the log */
	uint32_t number;     /* within its postcode, from 1 */
	int64_t time_us;     /* since 1970, UTC; 0 for loaded orders */
	uint32_t check;      /* enum jh_check */
	struct uuid client;
	uint64_t request;
	struct order_text postcode, customer;
	uint32_t items_count;
	struct order_text items[32];
};

/* orders_max: adding beyond it fails; itself below 2^32 - 1. An empty history at op 0. */
struct orders *orders_new(uint64_t orders_max);
void orders_free(struct orders *orders); /* may take tens of milliseconds for a large history: not on an event loop */

/* Adds an order of the initial history (before any op). False and one line in error for a malformed body. */
bool orders_load_initial(struct orders *orders, const void *body, size_t size, char *error, size_t error_size);

enum orders_applied {
	ORDERS_APPLIED,
	ORDERS_MALFORMED, /* not a canonical struct jh_body */
	ORDERS_DUPLICATE, /* its (client, request) is there, or is below that client's last: rule 11, once more */
	ORDERS_FULL
};

/* Applies op orders_op() + 1. On anything but ORDERS_APPLIED nothing has changed. */
enum orders_applied orders_apply(struct orders *orders, const void *body, size_t size);

uint64_t orders_op(const struct orders *orders);       /* highest applied op */
uint64_t orders_count(const struct orders *orders);    /* loaded ones included */
uint64_t orders_initial_count(const struct orders *orders);
bool orders_same_initial(const struct orders *left, const struct orders *right); /* loaded with the same orders? */
struct digest orders_digest(const struct orders *orders); /* digest_chain over every body, loaded ones first */
/* The first op whose order is dated later than this; 0: none. Times never fall from op to op. */
uint64_t orders_dated_after(const struct orders *orders, int64_t time_us);

int64_t orders_last_time_us(const struct orders *orders);
uint64_t orders_bytes(const struct orders *orders);     /* of the whole encoded state (see orders_encode) */
uint64_t orders_memory(const struct orders *orders);    /* bytes in use: the encoded state, records and indexes */

enum orders_known {
	ORDERS_UNKNOWN,     /* a new request of this client */
	ORDERS_REPEAT,      /* this very order is there: *op */
	ORDERS_CONFLICT,    /* the number is there with other content: *op */
	ORDERS_SUPERSEDED   /* below the client's last, and no order has it: refused for ever */
};

/* Looks (client, request) up. content: the one orders_body_key gives. */
enum orders_known orders_lookup(const struct orders *orders, struct uuid client, uint64_t request,
				struct digest content, uint64_t *op);

/* The digest of a body's operation (customer, postcode, items), leaving out all that the primary assigns (time, check),
 * and of nothing else; false when the body is malformed. Also gives client and request (may be NULL) and time. */
bool orders_body_key(const void *body, size_t size, struct uuid *client, uint64_t *request, struct digest *content,
		     int64_t *time_us);

/* The order that op made. False when op is 0 or above orders_op(). */
bool orders_by_op(const struct orders *orders, uint64_t op, struct order_view *view);

/* The highest `number` of a normalised postcode (0: none). */
uint32_t orders_postcode_total(const struct orders *orders, const char *postcode, size_t size);

/* Fills views with the orders of a postcode numbered below `before` (0: from the newest), the newest `limit` of
 * them, in rising number. Returns how many. */
uint32_t orders_history(const struct orders *orders, const char *postcode, size_t size, uint32_t before, uint32_t limit,
			struct order_view *views);

/* --- the state as bytes: what a full push and a snapshot carry -------------------------------------------------------
 * A sequence of records, one an order, in order: 4 bytes big-endian size, the body (XDR opaque<>; the size of a body is
 * a multiple of 4, so nothing is padded). */

/* Writes the records of orders first, first+1, ... (counted from 0, loaded ones included) while they fit in `size`
 * bytes and belong to ops <= through_op. Returns the bytes written and sets *next to the first order not written.
 * Thread-safe against concurrent orders_apply as long as through_op was applied before (the snapshot thread calls
 * it). */
size_t orders_encode(const struct orders *orders, uint64_t first, uint64_t through_op, uint64_t *next, void *out,
		     size_t size);

/* Appends whole records to a history under construction: the first initial_count orders are loaded ones, the others ops
 * 1, 2, ... False with one line in error when bytes are not whole canonical records. */
bool orders_decode(struct orders *orders, uint64_t initial_count, const void *bytes, size_t size, char *error,
		   size_t error_size);
