/* The keeper of views: a view reported durable is there at the next start; damage is set aside and never taken for a
 * view; a directory has one user. Without room: store_room_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frontend/keeper/view_file.h"
#include "tests/unit/support_store.h"

/* RULE 2: a view whose save was reported good is read back whole, after several of them the last; tickets come in
 * order. */
static void the_last_view_is_read_back(void **state)
{
	struct world *world = *state;
	struct views_stored first, last, back;
	struct store *store = open_store(world, &back);
	struct stat status;

	assert_non_null(store);
	assert_int_equal(back.view.number, 0);
	assert_true(uuid_is_nil(back.manager));
	assert_int_equal(stat(world->directory, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	make_stored(&first, 1ull << 52);
	make_stored(&last, (1ull << 52) + 1);
	world->expected = 8;
	for (uint64_t ticket = 1; ticket <= 8; ticket++)
		store_save(store, ticket, ticket == 8 ? &last : &first);
	event_base_dispatch(world->base);
	assert_int_equal(world->failed, 0);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(world->tickets[i], i + 1);
	store_close(store);
	store = open_store(world, &back);
	assert_non_null(store);
	assert_memory_equal(&back, &last, sizeof back);
	store_close(store);
}

/* A manager that has made no view yet is kept too. */
static void a_manager_without_a_view_is_kept(void **state)
{
	struct world *world = *state;
	struct views_stored stored = {.manager = uuid_draw()}, back;
	struct store *store = open_store(world, &back);

	save_and_wait(world, store, &stored);
	store_close(store);
	store = open_store(world, &back);
	assert_non_null(store);
	assert_true(uuid_equal(back.manager, stored.manager));
	assert_int_equal(back.view.number, 0);
	store_close(store);
}

/* RULE 20: a second process is told which has the directory. */
static void a_directory_has_one_user(void **state)
{
	struct world *world = *state;
	struct views_stored stored;
	struct store *store = open_store(world, &stored);
	char mine[64];

	snprintf(mine, sizeof mine, "in use by process %ld", (long)getpid());
	assert_non_null(store);
	assert_null(open_store(world, &stored)); /* the lock belongs to the open file: this process counts as another */
	assert_non_null(strstr(world->error, mine));
	assert_int_equal(unlink(in_directory(world, "lock")), 0); /* a cleaner */
	assert_null(open_store(world, &stored));
	assert_non_null(strstr(world->error, "in use by another process"));
	store_close(store);
	store = open_store(world, &stored);
	assert_non_null(store);
	store_close(store);
}

/* RULE 20: another host that has the same directory does not see our lock on it, only the one on the file. */
static void on_another_host_too(void **state)
{
	struct world *world = *state;
	struct views_stored stored;
	struct store *store = open_store(world, &stored);

	assert_non_null(store);
	store_close(store);

	int elsewhere = open(in_directory(world, "lock"), O_RDWR | O_CLOEXEC);

	assert_int_equal(flock(elsewhere, LOCK_EX | LOCK_NB), 0);
	assert_null(open_store(world, &stored));
	assert_non_null(strstr(world->error, "in use by process"));
	assert_int_equal(flock(elsewhere, LOCK_UN), 0);
	store = open_store(world, &stored);
	assert_non_null(store);
	assert_int_not_equal(flock(elsewhere, LOCK_EX | LOCK_NB), 0);
	store_close(store);
	close(elsewhere);
}

static int set_aside_count(const struct world *world)
{
	char command[SCRATCH_PATH_SIZE + 64];
	int count = 0;

	snprintf(command, sizeof command, "ls %s/set-aside 2>/dev/null | wc -l", world->directory);

	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%d", &count), 1);
	pclose(pipe);
	return count;
}

/* RULE 14: whichever bit flips, it is damage: set aside, and never another view. */
static void damage_is_set_aside(void **state)
{
	struct world *world = *state;
	struct views_stored stored, back;
	struct store *store = open_store(world, &back);
	char good[4096];

	assert_non_null(store);
	make_stored(&stored, 7);
	save_and_wait(world, store, &stored);
	store_close(store);

	FILE *file = fopen(in_directory(world, "view.json"), "r");
	size_t size = fread(good, 1, sizeof good - 1, file);

	fclose(file);
	good[size] = '\0';
	assert_non_null(strstr(good, "\"view\": 7"));
	int aside = 0;

	for (size_t at = 0; at < size; at += 13) {
		char bad[4096];

		memcpy(bad, good, size + 1);
		bad[at] = (char)(bad[at] ^ 1);
		if (bad[at] == ' ' || good[at] == ' ' || good[at] == '\n')
			continue;
		write_file(in_directory(world, "view.json"), bad);
		store = open_store(world, &back);
		assert_non_null(store);
		assert_int_equal(back.view.number, 0);
		assert_true(uuid_is_nil(back.manager));
		assert_int_equal(set_aside_count(world), ++aside);
		store_close(store);
	}
	assert_true(aside > 10);
	write_file(in_directory(world, "view.json"), "");
	store = open_store(world, &back);
	assert_non_null(store);
	assert_int_equal(set_aside_count(world), ++aside);
	store_close(store);
}

/* A newer format is not damage, and an older one is neither that nor lost: the file stays, and the operator is told to
 * upgrade, or to use the older program. RULE 14 */
static void another_format_is_left_alone(void **state)
{
	struct world *world = *state;
	struct views_stored back;
	struct store *store = open_store(world, &back);

	store_close(store);
	write_file(in_directory(world, "view.json"), "{\"format\": 4, \"view\": \"something else\"}");
	assert_null(open_store(world, &back));
	assert_non_null(strstr(world->error, "upgrade"));
	assert_int_equal(access(in_directory(world, "view.json"), R_OK), 0);
	write_file(in_directory(world, "view.json"), "{\"format\": 2, \"view\": \"as it was then\"}");
	assert_null(open_store(world, &back));
	assert_non_null(strstr(world->error, "format 2, this version reads format 3"));
	assert_int_equal(access(in_directory(world, "view.json"), R_OK), 0);
	/* A file of this format, of a cluster that uses a newer one. */
	struct views_stored stored;

	make_stored(&stored, 7);
	stored.view.format = FORMAT_HIGH + 1;
	char *text = view_file_write(&stored);

	write_file(in_directory(world, "view.json"), text);
	free(text);
	assert_null(open_store(world, &back));
	assert_non_null(strstr(world->error, "uses format 4"));
	assert_non_null(strstr(world->error, "upgrade justhungry-frontend"));
	assert_int_equal(access(in_directory(world, "view.json"), R_OK), 0);
}

static void write_bytes(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/* A save that did not finish, or a torn or changed view file, leaves either the stored view or none, never another;
 * and the next save is read back. RULE 14 */
static void whatever_a_crash_leaves(void **state)
{
	struct world *world = *state;
	struct views_stored stored, back;
	struct store *store = open_store(world, &back);
	char old[4096], changed[4096];

	store_close(store);
	make_stored(&stored, 7);
	char *text = view_file_write(&stored);
	size_t size = strlen(text);

	assert_true(size < sizeof old);
	memcpy(old, text, size + 1);
	for (size_t at = 0; at < size; at += 5) {
		/* The next one was being written. */
		write_bytes(in_directory(world, "view.json"), old, size);
		write_bytes(in_directory(world, "view.json.new"), old, at);
		store = open_store(world, &back);
		assert_non_null(store);
		assert_memory_equal(&back, &stored, sizeof back);
		store_close(store);
		/* Cut off, zero from there on, one bit wrong. */
		for (int kind = 0; kind < 3; kind++) {
			memcpy(changed, old, size);
			memset(changed + at, 0, kind == 1 ? size - at : 0);
			changed[at] ^= kind == 2 ? 0x08 : 0;
			write_bytes(in_directory(world, "view.json"), changed, kind == 0 ? at : size);
			store = open_store(world, &back);
			if (store == NULL) {
				assert_non_null(strstr(world->error, "format")); /* the bit was in that number */
				continue;
			}
			if (back.view.number != 0)
				assert_memory_equal(&back, &stored, sizeof back);
			store_close(store);
		}
	}
	write_bytes(in_directory(world, "view.json"), old, size / 2);
	store = open_store(world, &back);
	save_and_wait(world, store, &stored);
	store_close(store);
	store = open_store(world, &back);
	assert_memory_equal(&back, &stored, sizeof back);
	store_close(store);
	free(text);
}

static void note_lost(void *context, const char *line)
{
	struct world *world = context;

	snprintf(world->error, sizeof world->error, "%s", line);
	event_base_loopbreak(world->base);
}

static void until_lost(struct world *world, const char *what)
{
	struct timeval patience = {.tv_sec = 20};

	world->error[0] = '\0';
	event_base_loopexit(world->base, &patience);
	event_base_dispatch(world->base);
	assert_non_null(strstr(world->error, what));
}

/* A view file that is deleted, replaced or changed under a running front-end is written again; removing the whole
 * directory ends the front-end, because the next one to start there would know no view and see no lock. RULE 2, 20 */
static void files_are_looked_at(void **state)
{
	struct world *world = *state;
	struct views_stored stored, old, back;
	struct store *store = open_store(world, &back);
	char *text;

	make_stored(&old, 1);
	make_stored(&stored, 2);
	save_and_wait(world, store, &stored);
	text = view_file_write(&old);
	for (int kind = 0; kind < 4; kind++) {
		bool again = false;

		if (kind < 2)
			assert_int_equal(unlink(in_directory(world, "view.json")), 0);
		if (kind > 0)
			write_file(in_directory(world, "view.json"), kind < 3 ? text : ""); /* an old copy, or emptied */
		for (int i = 0; i < 2000 && !again; i++) {
			char found[4096] = "", *right = view_file_write(&stored);
			FILE *file = fopen(in_directory(world, "view.json"), "r");

			usleep(5000);
			if (file != NULL) {
				again = fread(found, 1, sizeof found, file) == strlen(right) && strcmp(found, right) == 0;
				fclose(file);
			}
			free(right);
		}
		assert_true(again);
	}
	free(text);
	store->lost = note_lost;
	assert_int_equal(rename(world->directory, in_directory(world, "../away")), 0);
	until_lost(world, "was deleted or moved");
	store_close(store);
}

/* A save that fails is reported, keeps the old view, and the next one works. */
static void a_failed_save_keeps_the_old_view(void **state)
{
	struct world *world = *state;
	struct views_stored old, next, back;
	struct store *store = open_store(world, &back);

	make_stored(&old, 1);
	make_stored(&next, 2);
	save_and_wait(world, store, &old);
	assert_int_equal(mkdir(in_directory(world, "view.json.new"), 0700), 0); /* blocks the new file */
	save_and_wait(world, store, &next);
	assert_int_equal(world->failed, 1);
	assert_non_null(strstr(world->error, "cannot store the view"));
	store_close(store);
	store = open_store(world, &back);
	assert_int_equal(back.view.number, 1);
	assert_int_equal(rmdir(in_directory(world, "view.json.new")), 0);
	save_and_wait(world, store, &next);
	assert_int_equal(world->failed, 1);
	store_close(store);
}

/* A missing directory is created with its parents; a failure is one clear line. */
static void a_missing_parent_is_made(void **state)
{
	struct world *world = *state;
	struct views_stored back;
	struct store *store;

	snprintf(world->directory, sizeof world->directory, "%s", world->path);
	write_file(in_directory(world, "f"), "");
	snprintf(world->directory, sizeof world->directory, "%s/f/frontend", world->path);
	assert_null(open_store(world, &back));
	assert_non_null(strstr(world->error, "/f, which the data directory"));
	snprintf(world->directory, sizeof world->directory, "%s/no/frontend", world->path);
	store = open_store(world, &back);
	assert_non_null(store);
	store_close(store);
}

int main(void)
{
	/* In memory where possible: hundreds of starts. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);

	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_view_is_read_back, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(a_manager_without_a_view_is_kept, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(a_directory_has_one_user, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(on_another_host_too, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(damage_is_set_aside, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(another_format_is_left_alone, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(whatever_a_crash_leaves, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(files_are_looked_at, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(a_failed_save_keeps_the_old_view, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(a_missing_parent_is_made, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
