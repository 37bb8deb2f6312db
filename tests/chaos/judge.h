/* What is wrong with a history, if anything. The histories of the postcodes are append-only lists, so the final ones
 * say where every order came, and linearizability is decided in one sweep over time: an operation must not come before
 * one that had ended when it was asked for. (Sound and complete: the operations, in the order of their ops with each
 * read behind the order it reflects, are a legal sequence; it contradicts real time exactly when some pair does.)
 *
 * It refuses to guess: an unknown outcome may have happened or not, but what was shown once must stay. */
#pragma once

#include "tests/chaos/history.h"

enum wrong {
	WRONG_LOST,      /* acknowledged, and not in the final history */
	WRONG_MOVED,     /* there, but not under the op, number or postcode that its client was told */
	WRONG_DOUBLED,   /* one order, or one op, in the final history twice */
	WRONG_FOREIGN,   /* there, and nobody ordered it like that */
	WRONG_REFUSED,   /* there, though its client was told that it was not, and would not be */
	WRONG_NUMBERED,  /* a postcode's numbers do not run from 1 by one with rising ops */
	WRONG_SHOWN,     /* a read showed what the final history does not have there: no prefix of it */
	WRONG_REORDERED, /* an order came before something that had ended when it was asked for */
	WRONG_STALE,     /* a read does not show what had ended (or been shown) before it was asked for */
	WRONG_KINDS
};

struct verdict {
	size_t wrong[WRONG_KINDS];
	char first[WRONG_KINDS][256]; /* the first of each kind, in words */
};

/* Sorts what the history holds; changes nothing else. True: nothing is wrong. */
bool judge(struct history *history, struct verdict *verdict);

const char *wrong_name(enum wrong wrong);

/* Orders acknowledged in [from, to). After judge (the orders are then sorted by when they were asked). */
size_t acknowledged_between(const struct history *history, uint64_t from, uint64_t to);
