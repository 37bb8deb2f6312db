/* --check --json: every operation, what it became, and the digests after it, so that another program can compute the same from
 * the bytes alone (tests/independent). It shows the ids of clients: it is for the operator, on the host. */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct history;

/* Prints a line for each entry, loaded records (op 0) first, and computes everything again from their bodies. entries_max:
 * that the history was made for. commit: ops above it are marked. */
void check_json_print(const struct history *history, uint64_t entries_max, uint64_t commit, FILE *out);
