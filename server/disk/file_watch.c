#include "server/disk/file_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rpc/base/clock.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/net/background.h"
#include "server/disk/directory.h"
#include "server/disk/journal.h"
#include "server/disk/snapshot.h"

#define LOOK_US 1000000u
#define LOOK_AGAIN_US 250000u /* by then a file that was just being named or removed has reached its final state */
#define WRONG_LOOKS 2

struct file_watch {
	struct file_watch_options options;
	const struct journal *journal;     /* NULL: no journal to check */
	bool looking;                      /* a check is under way */
	uint64_t next_us;
	uint32_t wrong;                    /* consecutive checks that found something wrong */
	uint64_t adoptions;                /* number of replaced histories: snapshots get other files then */
	/* The snapshot as last seen; inode 0: none yet. */
	uint64_t snapshot_op, device, inode, size;
};

struct look {
	struct file_watch *watch;
	uint64_t adoptions, snapshot_op;
	/* Findings of a check. */
	bool directory_gone;
	uint64_t found_op, device, inode, size; /* the newest snapshot; inode 0: none */
	char why[DIRECTORY_ERROR_SIZE];   /* empty: nothing is wrong */
	const struct journal_file *missing; /* the journal's file that is missing or replaced; NULL: none */
	uint32_t files_count;
	struct journal_file files[];
};

/* --- on the background thread ------------------------------------------------------------------------------------- */

/* False when the name is known to lead nowhere; an error of the disk proves nothing. */
static bool look_at(int directory, const char *name, struct stat *info)
{
	memset(info, 0, sizeof *info);
	return fstatat(directory, name, info, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static bool journal_is_there(struct look *look, int directory)
{
	struct stat info;

	for (uint32_t i = 0; i < look->files_count; i++) {
		const struct journal_file *file = &look->files[i];
		const char *what = NULL;

		if (!look_at(directory, file->name, &info))
			what = "deleted";
		else if (info.st_ino != 0 && file->inode != 0 && /* the kernel may not have reported one of them */
			 (info.st_ino != file->inode || info.st_dev != file->device))
			what = "replaced";
		else if (info.st_ino != 0 && (uint64_t)info.st_size < file->size)
			what = "cut short";
		if (what == NULL)
			continue;
		snprintf(look->why, sizeof look->why, "its journal file %s was %s while it ran", file->name, what);
		look->missing = file;
		return false;
	}
	return true;
}

static void look_at_snapshot(struct look *look, const char *path, int directory)
{
	struct stat info;
	char name[64];
	uint64_t op;

	bool found = snapshot_newest(path, UINT64_MAX, &op);

	if (!found && errno != 0 && errno != ENOENT)
		return; /* it could not be checked: too few descriptors, a failing disk */
	if (!found || op < look->snapshot_op) {
		snprintf(look->why, sizeof look->why, "its snapshot of op %llu was deleted while it ran",
			 (unsigned long long)look->snapshot_op);
		return;
	}
	must(snapshot_path(".", op, name, sizeof name));
	if (!look_at(directory, name, &info))
		return; /* a newer one has taken its place */
	look->found_op = op;
	look->device = info.st_dev;
	look->inode = info.st_ino;
	look->size = (uint64_t)info.st_size;
}

static void look_now(void *context)
{
	struct look *look = context;
	const struct directory *directory = look->watch->options.directory;

	if (!directory_is_there(directory, look->why, sizeof look->why)) {
		look->directory_gone = true;
		return;
	}
	if (journal_is_there(look, directory_fd(directory)))
		look_at_snapshot(look, directory_path(directory), directory_fd(directory));
}

/* --- on the loop -------------------------------------------------------------------------------------------------- */

struct file_watch *file_watch_new(const struct file_watch_options *options)
{
	struct file_watch *watch = calloc(1, sizeof *watch);

	must_allocate(watch);
	watch->options = *options;
	return watch;
}

void file_watch_free(struct file_watch *watch)
{
	free(watch);
}

void file_watch_adopted(struct file_watch *watch)
{
	watch->adoptions++; /* for a check under way */
	watch->inode = 0;    /* and for those to come: the new file may be of the same op */
}

void file_watch_end(struct file_watch *watch)
{
	watch->journal = NULL;
}

static void compare_snapshot(struct file_watch *watch, struct look *look)
{
	if (look->inode == 0)
		return;
	if (watch->inode != 0 && watch->snapshot_op == look->found_op &&
	    (watch->inode != look->inode || watch->device != look->device)) {
		snprintf(look->why, sizeof look->why, "its snapshot of op %llu was replaced while it ran",
			 (unsigned long long)look->found_op);
		return;
	}
	if (watch->inode != 0 && watch->snapshot_op == look->found_op && watch->size != look->size) {
		snprintf(look->why, sizeof look->why, "its snapshot of op %llu was changed while it ran",
			 (unsigned long long)look->found_op);
		return;
	}
	watch->snapshot_op = look->found_op;
	watch->device = look->device;
	watch->inode = look->inode;
	watch->size = look->size;
}

/* The journal itself removes segments that a snapshot has made superfluous, also between the listing and the check. */
static bool still_in_use(const struct journal *journal, const struct journal_file *file)
{
	struct journal_file *files;
	uint32_t count = journal_files(journal, &files);
	bool listed = false;

	for (uint32_t i = 0; i < count && !listed; i++)
		listed = strcmp(files[i].name, file->name) == 0;
	free(files);
	return listed;
}

static void looked(void *context)
{
	struct look *look = context;
	struct file_watch *watch = look->watch;

	watch->looking = false;
	watch->next_us = rpc_clock_us() + LOOK_US;
	if (watch->journal == NULL) {
		look->why[0] = '\0';
	} else if (look->adoptions != watch->adoptions) {
		watch->inode = 0; /* other files since then */
		look->why[0] = '\0';
	} else if (look->missing != NULL && !still_in_use(watch->journal, look->missing)) {
		look->why[0] = '\0';
	} else {
		compare_snapshot(watch, look);
	}
	watch->wrong = look->why[0] == '\0' ? 0 : watch->wrong + 1;
	if (watch->wrong > 0)
		watch->next_us = rpc_clock_us() + LOOK_AGAIN_US;
	if (watch->wrong >= WRONG_LOOKS) /* RULE 14 */
		watch->options.damaged(watch->options.context, look->why, look->directory_gone);
	free(look);
}

/* The disk thread has found it first. */
static void take_loss(struct file_watch *watch)
{
	const struct directory *directory = watch->options.directory;
	char why[DIRECTORY_ERROR_SIZE];

	snprintf(why, sizeof why, "the journal file in use in %s was deleted or cut short while it ran",
		 directory_path(directory));
	bool gone = !directory_is_there(directory, why, sizeof why);

	watch->options.damaged(watch->options.context, why, gone);
}

void file_watch_look(struct file_watch *watch, const struct journal *journal, uint64_t snapshot_op)
{
	struct journal_file *files;
	struct look *look;
	uint32_t count;

	watch->journal = journal;
	if (journal_is_lost(journal)) {
		take_loss(watch);
		return;
	}
	if (watch->looking || rpc_clock_us() < watch->next_us)
		return;
	watch->looking = true;
	count = journal_files(journal, &files);
	look = calloc(1, sizeof *look + count * sizeof *files);
	must_allocate(look);
	look->watch = watch;
	look->files_count = count;
	memcpy(look->files, files, count * sizeof *files);
	free(files);
	look->adoptions = watch->adoptions;
	look->snapshot_op = snapshot_op;
	background_run(watch->options.background, look_now, looked, look);
}
