/* For tests of snapshots: a directory for each test, and order histories to write there. */
#pragma once

#include "server/disk/snapshot.h"
#include "server/machine/machine.h"

#define ORDERS_MAX 2000000

extern char directory[];
extern char error[SNAPSHOT_ERROR_SIZE]; /* of the last call */

/* Set-up and tear-down of a test: a new empty directory, and its removal with everything in it. */
int make_directory(void **state);
int remove_directory(void **state);
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

/* Removes its contents; returns how many files there were. */
int empty_directory(const char *path);

/* initial loaded orders, then ops 1 .. ops. */
struct machine *make_orders(uint32_t initial, uint32_t ops);
struct snapshot_summary summary_of(const struct machine *machine);
/* Of the snapshot as of op; valid until the next call. */
const char *path_of(uint64_t op);
/* The outcome of loading; a loaded history is freed. */
enum snapshot_outcome outcome_of(const char *path, uint64_t orders_max);
