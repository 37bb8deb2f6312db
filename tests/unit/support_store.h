/* For tests of the keeper of views: a directory for it, and its report of each save. */
#pragma once

#include <event2/event.h>
#include <stdint.h>

#include "frontend/keeper/store.h"
#include "tests/unit/support_scratch.h"

struct world {
	struct event_base *base;
	char path[SCRATCH_PATH_SIZE];
	char directory[SCRATCH_PATH_SIZE + 16];
	uint64_t tickets[16];
	int saved;
	int failed;
	int expected;
	char error[512];
};

/* For cmocka: *state is a struct world. */
int store_set_up(void **state);
int store_tear_down(void **state);
/* NULL: world->error says why. */
struct store *open_store(struct world *world, struct views_stored *stored);
/* A view of that number, of three members. */
void make_stored(struct views_stored *stored, uint64_t number);
void save_and_wait(struct world *world, struct store *store, const struct views_stored *stored);
/* Until the next call. */
char *in_directory(const struct world *world, const char *name);
void write_file(const char *path, const char *text);
