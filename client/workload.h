/* The orders of bench: deterministic, pure. Postcodes 0 and 1 are the two that every cluster has initial orders for;
 * those after them only have the right form, so they are for replicas that check by grammar or ask a loopback
 * provider. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/shop.h"

#define WORKLOAD_POSTCODES_MAX 100000u
#define WORKLOAD_POSTCODE_SIZE 9

/* "DH1 3LE", "DH1 3LG", then "NE1 0AA" ...: distinct for index < WORKLOAD_POSTCODES_MAX. Returns out. */
const char *workload_postcode(uint32_t index, char out[static WORKLOAD_POSTCODE_SIZE]);

/* Fills in an order, without a customer of its own, of two items with 30 bytes of text together: 72 bytes encoded.
 * `turn` varies the items. postcode and the constant texts are borrowed; items is room for the two. */
void workload_order(uint64_t turn, const char *postcode, jh_item items[static 2], jh_order *order);

/* Was this made by workload_order, that is, with bench's customer and menu? */
bool workload_is_own(const jh_history_order *order);
