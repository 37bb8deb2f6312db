/* The table of operations: one row per kind. The two files of a kind are in server/shop, the table is in
 * server/shop/operations.c; this folder knows neither. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/machine/body.h"
#include "server/machine/outcome.h"

#define OPERATION_TEXT_SIZE 512

struct history;
struct shop; /* folded from the operations, like the client table */

/* Of rpc/shop.x: what a client asked, and what it is told. */
struct jh_operation;
struct jh_operation_answer;
struct json_t; /* of jansson */

/* Why an operation is declined before the log is asked for room: enum jh_reason, NONE for none; and one line. */
struct operation_problem {
	uint32_t reason;
	char text[OPERATION_TEXT_SIZE];
};

/* The entries of the log that are not applied yet, in order. */
struct operation_ahead {
	void *context;
	bool (*next)(void *context, struct body *body); /* false: there are no more */
};

enum operation_admission {
	OPERATION_ADMITTED,
	OPERATION_REFUSED_NOW, /* the applied state refuses it, and says why */
	OPERATION_WAITS        /* what it needs may be used up by entries of the log: decided once these are applied */
};

struct operation {
	uint32_t kind;         /* enum jh_operation_kind */
	uint32_t first_format; /* that has it */
	const char *name;      /* for messages: "order" */
	bool ends_doubt;       /* makes a request nothing: may use the room that is kept for this */

	/* --- what it keeps: folded from the operations so far, for apply, answers and queries. All NULL: nothing of its own */

	/* history: borrowed, it outlives the fold. */
	void *(*fold_new)(const struct history *history, uint32_t entries_max);
	void (*fold_free)(void *fold);
	uint64_t (*fold_memory)(const void *fold); /* bytes in use */

	/* --- applying: the same at every replica, forever */

	/* Whether the content is the one canonical encoding of an operation of this kind. */
	bool (*is_canonical)(const void *content, size_t size);
	/* Prefetches what apply reads first, so that it comes while the client table is looked up. */
	void (*prefetch)(const struct shop *shop, const struct body *body);
	/* Called when the body has been appended to the history as this entry: decides its outcome (which is empty before: done) by
	 * the rules of body->format. */
	void (*apply)(struct shop *shop, uint32_t entry, const struct body *body, struct outcome *outcome);

	/* --- at the primary, before the log */

	/* Appends the content, normalised. False when no body can be made of it. What must keep it from the log goes to problem: a
	 * repeat is answered first. */
	bool (*encode)(const struct jh_operation *asked, struct encoder *content, struct operation_problem *problem);
	/* The postcode to be validated; NULL when the kind has none. */
	struct text_span (*postcode)(const struct body *body);
	/* Whether the applied state refuses it already; NULL: never. Of a refusal, reason and values. */
	enum operation_admission (*admit)(const struct shop *shop, const struct body *body,
					  const struct operation_ahead *ahead, struct outcome *refusal);

	/* --- answers */

	void (*answer)(const struct shop *shop, uint64_t op, struct jh_operation_answer *answer);
	/* A refusal in one line; NULL: the kind is never refused when applied. */
	void (*explain)(const struct outcome *refusal, char *text, size_t size);
	/* Adds the content to a JSON object, for an operator; NULL: there is nothing to add. */
	void (*show)(const struct body *body, struct json_t *object);
};

/* Defined by the shop. */
extern const struct operation *const operation_table[];
extern const uint32_t operation_table_size;

/* history: borrowed, it outlives the shop. */
struct shop *shop_new(const struct history *history, uint32_t entries_max);
void shop_free(struct shop *shop);
uint64_t shop_memory(const struct shop *shop); /* bytes in use */

/* NULL: no such kind. */
const struct operation *operation_of_kind(uint32_t kind);
/* The kind of a body whose head is parsed; NULL when its content is not canonical, or the kind not in the table. */
const struct operation *operation_of(const struct body *body);
/* Parses a body, head and content; NULL when it is not canonical, or of a kind that is not in the table. */
const struct operation *operation_parse(const void *bytes, size_t size, struct body *body);

/* Of a canonical body: its client and request, body_content_digest and time; each may be NULL. False when it is not
 * canonical. */
bool operation_key(const void *bytes, size_t size, struct uuid *client, uint64_t *request, struct digest *content,
		   int64_t *time_us);
