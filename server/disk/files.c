/* Whether the files that this replica writes are still those of their names: who deletes, moves, replaces or cuts them under
 * a running process takes away what it has acknowledged, and nothing that it does tells it. Looked up off the loop, for a
 * stat can wait as long as a disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/clock.h"
#include "server/background.h"
#include "server/node.h"
#include "server/disk/snapshot.h"

#define LOOK_US 1000000u
#define LOOK_AGAIN_US 250000u /* a file that is just being named or removed is so no more */
#define WRONG_LOOKS 2

struct look {
	struct node *node;
	uint64_t adoptions, snapshot_op;
	/* What was found. */
	bool directory_gone;
	uint64_t found_op, device, inode, size; /* the newest snapshot; inode 0: none */
	char why[DIRECTORY_ERROR_SIZE];   /* empty: nothing wrong */
	const struct journal_file *missing; /* the journal's file that is not there, or is another; NULL: none */
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
		else if (info.st_ino != 0 && file->inode != 0 && /* the kernel may not have told one of them */
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
		return; /* it could not be looked for: too few descriptors, a disk that fails */
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
	const struct directory *directory = look->node->directory;

	if (!directory_is_there(directory, look->why, sizeof look->why)) {
		look->directory_gone = true;
		return;
	}
	if (journal_is_there(look, directory_fd(directory)))
		look_at_snapshot(look, directory_path(directory), directory_fd(directory));
}

/* --- on the loop -------------------------------------------------------------------------------------------------- */

static void compare_snapshot(struct files_seen *seen, struct look *look)
{
	if (look->inode == 0)
		return;
	if (seen->inode != 0 && seen->snapshot_op == look->found_op &&
	    (seen->inode != look->inode || seen->device != look->device)) {
		snprintf(look->why, sizeof look->why, "its snapshot of op %llu was replaced while it ran",
			 (unsigned long long)look->found_op);
		return;
	}
	if (seen->inode != 0 && seen->snapshot_op == look->found_op && seen->size != look->size) {
		snprintf(look->why, sizeof look->why, "its snapshot of op %llu was changed while it ran",
			 (unsigned long long)look->found_op);
		return;
	}
	seen->snapshot_op = look->found_op;
	seen->device = look->device;
	seen->inode = look->inode;
	seen->size = look->size;
}

/* The journal itself removes what a snapshot has made superfluous, also between the listing and the look. */
static bool still_in_use(const struct node *node, const struct journal_file *file)
{
	struct journal_file *files;
	uint32_t count;
	bool listed = false;

	if (node->journal == NULL)
		return false;
	count = journal_files(node->journal, &files);
	for (uint32_t i = 0; i < count && !listed; i++)
		listed = strcmp(files[i].name, file->name) == 0;
	free(files);
	return listed;
}

static void looked(void *context)
{
	struct look *look = context;
	struct node *node = look->node;
	struct files_seen *seen = &node->files_seen;

	seen->looking = false;
	seen->next_us = rpc_clock_us() + LOOK_US;
	if (look->adoptions != seen->adoptions) {
		seen->inode = 0; /* other files since */
		look->why[0] = '\0';
	} else if (look->missing != NULL && !still_in_use(node, look->missing)) {
		look->why[0] = '\0';
	} else {
		compare_snapshot(seen, look);
	}
	seen->wrong = look->why[0] == '\0' ? 0 : seen->wrong + 1;
	if (seen->wrong > 0)
		seen->next_us = rpc_clock_us() + LOOK_AGAIN_US;
	if (seen->wrong >= WRONG_LOOKS && node->journal != NULL && node->end == NODE_RUNS) { /* RULE 14 */
		node->directory_gone = look->directory_gone;
		node_damage(node, look->why);
	}
	free(look);
}

/* The disk thread has seen it first. */
static void take_deletion(struct node *node)
{
	char why[DIRECTORY_ERROR_SIZE];

	snprintf(why, sizeof why, "the journal file in use in %s was deleted or cut short while it ran", node->options.data_dir);
	node->directory_gone = !directory_is_there(node->directory, why, sizeof why);
	node_damage(node, why);
}

void files_look(struct node *node)
{
	struct files_seen *seen = &node->files_seen;
	struct journal_file *files;
	struct look *look;
	uint32_t count;

	if (node->journal == NULL || node->end != NODE_RUNS)
		return;
	if (journal_is_lost(node->journal)) {
		take_deletion(node);
		return;
	}
	if (seen->looking || rpc_clock_us() < seen->next_us)
		return;
	seen->looking = true;
	count = journal_files(node->journal, &files);
	look = calloc(1, sizeof *look + count * sizeof *files);
	must_allocate(look);
	look->node = node;
	look->files_count = count;
	memcpy(look->files, files, count * sizeof *files);
	free(files);
	look->adoptions = seen->adoptions;
	look->snapshot_op = node->snapshot_op;
	background_run(node->receiver, look_now, looked, look);
}
