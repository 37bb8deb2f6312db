#include "tests/unit/support_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int store_set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	scratch_new(world->path);
	snprintf(world->directory, sizeof world->directory, "%s/frontend", world->path);
	world->base = event_base_new();
	*state = world;
	return 0;
}

int store_tear_down(void **state)
{
	struct world *world = *state;

	event_base_free(world->base);
	scratch_remove(world->path);
	free(world);
	return 0;
}

static void saved(void *context, uint64_t ticket, bool ok, const char *error)
{
	struct world *world = context;

	world->tickets[world->saved++] = ticket;
	if (!ok)
		world->failed++;
	snprintf(world->error, sizeof world->error, "%s", error);
	if (world->saved == world->expected)
		event_base_loopbreak(world->base);
}

struct store *open_store(struct world *world, struct views_stored *stored)
{
	return store_open_directory(world->base, world->directory, stored, saved, world, world->error,
				    sizeof world->error);
}

void make_stored(struct views_stored *stored, uint64_t number)
{
	memset(stored, 0, sizeof *stored);
	stored->manager = uuid_draw();
	stored->view.number = number;
	stored->view.primary = 2;
	stored->view.cluster = uuid_draw();
	stored->view.generation = uuid_draw();
	stored->view.manager = stored->manager;
	stored->view.format = FORMAT_HIGH;
	snprintf(stored->view.name, sizeof stored->view.name, "caf\xc3\xa9");
	stored->view.keeper = (struct keeper){.epoch = 3, .uuid = uuid_draw()};
	stored->view.maker = uuid_draw();
	stored->view.members_count = 3;
	for (uint32_t i = 0; i < 3; i++) {
		stored->view.members[i].id = i + 1;
		stored->view.members[i].uuid = uuid_draw();
		snprintf(stored->view.members[i].address, LIMIT_ADDRESS_BYTES, "127.0.0.1:%u", 4000 + i);
		stored->view.expected[i] = (struct expected){.id = i + 1, .lost_us = i == 0 ? 1796066834000000 : 0};
	}
	stored->view.expected_count = 3;
	stored->marks.count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		stored->marks.list[i].id = i + 1;
		stored->marks.list[i].uuid = stored->view.members[i].uuid;
		stored->marks.list[i].differs_op = 17 + i;
		stored->marks.list[i].equal_op = 12;
	}
}

void save_and_wait(struct world *world, struct store *store, const struct views_stored *stored)
{
	world->saved = 0;
	world->expected = 1;
	store_save(store, 1, stored);
	event_base_dispatch(world->base);
	assert_int_equal(world->saved, 1);
}

char *in_directory(const struct world *world, const char *name)
{
	static char path[SCRATCH_PATH_SIZE + 64];

	snprintf(path, sizeof path, "%s/%s", world->directory, name);
	return path;
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}
