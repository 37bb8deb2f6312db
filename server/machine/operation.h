/* The table of operations: one row per kind. The two files of a kind are in server/shop, the table is in
 * server/shop/operations.c; this folder knows neither. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/machine/body.h"

struct history;
struct shop; /* folded from the operations, like the client table */

struct operation {
	uint32_t kind;    /* enum jh_operation_kind */
	const char *name; /* for messages: "order" */
	/* Whether the content is the one canonical encoding of an operation of this kind. */
	bool (*is_canonical)(const void *content, size_t size);
	/* Prefetches what apply reads first, so that it comes while the client table is looked up. */
	void (*prefetch)(const struct shop *shop, const struct body *body);
	/* Called when the body has been appended to the history as this entry. */
	void (*apply)(struct shop *shop, uint32_t entry, const struct body *body);
};

/* Defined by the shop. */
extern const struct operation *const operation_table[];
extern const uint32_t operation_table_size;

/* history: borrowed, it outlives the shop. */
struct shop *shop_new(const struct history *history, uint32_t entries_max);
void shop_free(struct shop *shop);
uint64_t shop_memory(const struct shop *shop); /* bytes in use */

/* The kind of a body whose head is parsed; NULL when its content is not canonical, or the kind not in the table. */
const struct operation *operation_of(const struct body *body);
/* Parses a body, head and content; NULL when it is not canonical, or of a kind that is not in the table. */
const struct operation *operation_parse(const void *bytes, size_t size, struct body *body);

/* Of a canonical body: its client and request, body_content_digest and time; each may be NULL. False when it is not
 * canonical. */
bool operation_key(const void *bytes, size_t size, struct uuid *client, uint64_t *request, struct digest *content,
		   int64_t *time_us);
