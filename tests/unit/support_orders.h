/* Encoded orders for tests, drawn from a seed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rpc/base/limits.h"
#include "rpc/base/uuid.h"
#include "server/machine/machine.h"
#include "server/shop/postcode_orders.h"

struct random {
	uint64_t state;
};

/* A number below `below` (splitmix64: the same everywhere for one seed). */
uint64_t random_below(struct random *random, uint64_t below);

/* Client number n; 0 is the nil uuid. */
struct uuid client_number(uint64_t n);

/* The orders of each postcode that the machine has folded. */
const struct postcode_orders *orders_in(const struct machine *machine);

/* An order of `client` to `postcode` of these items (NULL ends them); returns its size. */
size_t make_body(void *out, struct uuid client, uint64_t request, int64_t time_us, const char *postcode,
		 const char *const *items);

/* An order of the usual size: two items, 30 bytes of text, postcode number n of a thousand or so. */
size_t make_usual_body(void *out, struct uuid client, uint64_t request, uint32_t postcode_number);
