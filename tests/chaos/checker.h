/* Finds what is wrong with a history. The histories of the postcodes are append-only lists, so the final ones say at
 * which place every order was executed, and linearizability is decided in one sweep over time: an operation must not
 * precede one that had ended when it was asked for. (Sound and complete: the operations, in the order of their ops
 * with each read behind the order it reflects, are a legal sequence, which contradicts real time exactly when some
 * pair does.)
 *
 * It never guesses: an unknown outcome may have happened or not, but what was shown once must stay. */
#pragma once

#include "tests/chaos/history.h"

enum wrong {
	WRONG_LOST,      /* acknowledged, and not in the final history */
	WRONG_MOVED,     /* present, but not under the op, number or postcode that its client was told */
	WRONG_DOUBLED,   /* one order, or one op, in the final history twice */
	WRONG_FOREIGN,   /* present, although no client placed such an order */
	WRONG_REFUSED,   /* present, although its client was told that it was not, and would not be, executed */
	WRONG_NUMBERED,  /* the numbers of a postcode do not rise by one from 1 with rising ops */
	WRONG_SHOWN,     /* a read showed something other than a prefix of the final history */
	WRONG_REORDERED, /* an order precedes something that had ended when it was asked for */
	WRONG_STALE,     /* a read lacks something that had ended (or been shown) before it was asked for */
	WRONG_KINDS
};

struct verdict {
	size_t wrong[WRONG_KINDS];
	char first[WRONG_KINDS][256]; /* the first of each kind, as text */
};

/* Sorts the contents of the history; changes nothing else. True: nothing is wrong. */
bool check_history(struct history *history, struct verdict *verdict);

const char *wrong_name(enum wrong wrong);

/* Orders acknowledged in [from, to). Call after check_history (the orders are then sorted by when they were asked). */
size_t acknowledged_between(const struct history *history, uint64_t from, uint64_t to);
