/* What bench orders: deterministic, pure. Postcode 0 and 1 are the two that every cluster knows (design section 11);
 * those after them only have the right form, so they are for replicas that check by grammar or ask a loopback provider.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/shop.h"

#define WORKLOAD_POSTCODES_MAX 100000u
#define WORKLOAD_POSTCODE_SIZE 9

/* "DH1 3LE", "DH1 3LG", then "NE1 0AA" ...: distinct for index < WORKLOAD_POSTCODES_MAX. Returns out. */
const char *workload_postcode(uint32_t index, char out[static WORKLOAD_POSTCODE_SIZE]);

/* Fills in an order by nobody in particular of two items, 30 bytes of text together: 72 bytes encoded. `turn` varies
 * the items. postcode and the constant texts are borrowed; items is room for the two. */
void workload_order(uint64_t turn, const char *postcode, jh_item items[static 2], jh_order *order);

/* Is this what workload_order makes: by bench's customer, of its menu? */
bool workload_is_own(const jh_history_order *order);
