/* The keeper of views that is a directory (frontend/keeper/store.h). One disk thread writes, so that the loop never
 * waits for the disk. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "frontend/keeper/store.h"
#include "frontend/keeper/view_file.h"
#include "rpc/base/clock.h"
#include "rpc/base/disk_error.h"
#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/thread.h"
#include "rpc/program/directory_lock.h"
#include "rpc/program/make_path.h"
#include "rpc/program/own_files.h"

#define VIEW_FILE "view.json"
#define VIEW_FILE_NEW "view.json.new"
#define VIEW_FILE_BYTES_MAX 65536
#define LOOK_US 1000000u

/* One save: waiting, being written, or done and on its way back to the loop. */
struct save {
	uint64_t ticket;
	char *text;
	bool ok;
	char error[512];
	STAILQ_ENTRY(save) entry;
};

STAILQ_HEAD(saves, save);

struct directory {
	struct store store;
	char *path;
	int fd;   /* of the directory */
	struct directory_lock lock;
	struct event *done_event;
	int done_fd; /* eventfd: the thread has finished something */
	store_saved_fn saved;
	void *context;
	pthread_t thread;
	bool thread_runs;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct saves waiting, done; /* under the mutex, as are stop and lost */
	bool stop;
	char lost[256];             /* why; empty: it is not */
	/* The disk thread's: the text that the view file should have, and which file that is. */
	char *text;
	int file; /* kept open, so that no other file gets its number; -1: there is none */
	dev_t device;
	ino_t inode;
};

/* --- the disk thread ---------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t count = write(fd, bytes, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		bytes += count;
		size -= (size_t)count;
	}
	return true;
}

/* RULE 2: durable means that the text, the name and the directory are on stable storage. A failure leaves the old
 * file. */
static const char *replace_file(const struct directory *directory, const char *text)
{
	const char *failed = NULL;
	int fd = openat(directory->fd, VIEW_FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return "open";
	if (!write_all(fd, text, strlen(text)))
		failed = "write";
	else if (fdatasync(fd) != 0)
		failed = "fdatasync";

	int reason = errno;

	close(fd);
	errno = reason;
	if (failed != NULL)
		return failed;
	if (renameat(directory->fd, VIEW_FILE_NEW, directory->fd, VIEW_FILE) != 0)
		return "rename";
	return fsync(directory->fd) != 0 ? "fsync of the directory" : NULL;
}

/* Remembers which file has the name now. */
static void note_file(struct directory *directory)
{
	struct stat info;

	directory->inode = 0;
	if (directory->file >= 0)
		close(directory->file);
	directory->file = openat(directory->fd, VIEW_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (directory->file < 0 || fstat(directory->file, &info) != 0)
		return;
	directory->device = info.st_dev;
	directory->inode = info.st_ino;
}

static void write_save(struct directory *directory, struct save *save)
{
	const char *failed = replace_file(directory, save->text);

	save->ok = failed == NULL;
	if (save->ok) {
		free(directory->text);
		directory->text = strdup(save->text);
		must_allocate(directory->text);
		note_file(directory);
	}
	if (failed != NULL)
		snprintf(save->error, sizeof save->error, "cannot store the view in %.150s/" VIEW_FILE ": %s: %s",
			 directory->path, failed, disk_error(errno));
}

/* False with a line: the path names another directory, so the next start there finds no view and does not see our
 * lock. */
static bool path_leads_here(const struct directory *directory, char *line, size_t size)
{
	const char *astray = directory_lock_astray(directory->fd, directory->path);

	if (astray != NULL)
		snprintf(line, size, "the data directory %.150s was %s while this front-end ran", directory->path, astray);
	return astray == NULL;
}

/* Whether the view file still holds what was written: a backup that was restored into it is the same file. */
static bool says_the_same(const struct directory *directory)
{
	char text[VIEW_FILE_BYTES_MAX];
	size_t size = strlen(directory->text);
	ssize_t count = pread(directory->file, text, sizeof text, 0);

	return count < 0 || ((size_t)count == size && memcmp(text, directory->text, size) == 0);
}

/* A view file that somebody else removed, replaced or changed is written again: this process knows a newer view than
 * any copy (RULE 20). */
static void mend_file(struct directory *directory)
{
	struct stat info = {0};
	const char *failed;

	bool there = fstatat(directory->fd, VIEW_FILE, &info, AT_SYMLINK_NOFOLLOW) == 0;

	if (directory->text == NULL || (!there && errno != ENOENT))
		return;
	if (there && directory->inode == 0) {
		note_file(directory); /* it could not be opened again: too few descriptors */
		return;
	}
	if (there && info.st_ino == directory->inode && info.st_dev == directory->device && says_the_same(directory))
		return;
	failed = replace_file(directory, directory->text);
	if (failed != NULL) {
		log_error("store", "%s/" VIEW_FILE " was deleted, replaced or changed by another process, and cannot be "
			  "written again: %s: %s", directory->path, failed, disk_error(errno));
		return; /* at the next check */
	}
	note_file(directory);
	log_warn("store", "%s/" VIEW_FILE " was deleted, replaced or changed by another process: it was written again",
		 directory->path);
}

/* Once a second when there is nothing to save: whether what was saved is still where the next start looks for it. */
static void look(struct directory *directory)
{
	char line[sizeof directory->lost] = "";

	if (path_leads_here(directory, line, sizeof line)) {
		mend_file(directory);
		return;
	}
	pthread_mutex_lock(&directory->mutex);
	if (directory->lost[0] == '\0')
		must(write(directory->done_fd, &(uint64_t){1}, sizeof(uint64_t)) == (ssize_t)sizeof(uint64_t));
	snprintf(directory->lost, sizeof directory->lost, "%s", line);
	pthread_mutex_unlock(&directory->mutex);
}

/* Called and returns with the mutex held. */
static void wait_or_look(struct directory *directory)
{
	if (thread_cond_wait_until(&directory->wake, &directory->mutex, rpc_clock_us() + LOOK_US))
		return;
	pthread_mutex_unlock(&directory->mutex);
	look(directory);
	pthread_mutex_lock(&directory->mutex);
}

static void *disk_thread(void *context)
{
	struct directory *directory = context;

	pthread_mutex_lock(&directory->mutex);
	for (;;) {
		struct save *save = STAILQ_FIRST(&directory->waiting);

		if (save == NULL && directory->stop)
			break;
		if (save == NULL) {
			wait_or_look(directory);
			continue;
		}
		STAILQ_REMOVE_HEAD(&directory->waiting, entry);
		pthread_mutex_unlock(&directory->mutex);
		write_save(directory, save);
		pthread_mutex_lock(&directory->mutex);
		STAILQ_INSERT_TAIL(&directory->done, save, entry);
		must(write(directory->done_fd, &(uint64_t){1}, sizeof(uint64_t)) == (ssize_t)sizeof(uint64_t));
	}
	pthread_mutex_unlock(&directory->mutex);
	return NULL;
}

/* --- the loop's side ---------------------------------------------------------------------------------------------- */

static void save_free(struct save *save)
{
	free(save->text);
	free(save);
}

static void directory_save(struct store *store, uint64_t ticket, const struct views_stored *stored)
{
	struct directory *directory = (struct directory *)store;
	struct save *save = calloc(1, sizeof *save);

	must_allocate(save);
	save->ticket = ticket;
	save->text = view_file_write(stored);
	pthread_mutex_lock(&directory->mutex);
	STAILQ_INSERT_TAIL(&directory->waiting, save, entry);
	pthread_cond_signal(&directory->wake);
	pthread_mutex_unlock(&directory->mutex);
}

static void directory_done(evutil_socket_t fd, short what, void *context)
{
	struct directory *directory = context;
	struct saves done = STAILQ_HEAD_INITIALIZER(done);
	struct save *save;
	char lost[sizeof directory->lost];
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof count) < 0)
		return;
	pthread_mutex_lock(&directory->mutex);
	STAILQ_CONCAT(&done, &directory->done);
	memcpy(lost, directory->lost, sizeof lost);
	pthread_mutex_unlock(&directory->mutex);
	while ((save = STAILQ_FIRST(&done)) != NULL) {
		STAILQ_REMOVE_HEAD(&done, entry);
		directory->saved(directory->context, save->ticket, save->ok, save->error);
		save_free(save);
	}
	if (lost[0] != '\0' && directory->store.lost != NULL)
		directory->store.lost(directory->context, lost);
}

static void free_all(struct saves *saves)
{
	struct save *save;

	while ((save = STAILQ_FIRST(saves)) != NULL) {
		STAILQ_REMOVE_HEAD(saves, entry);
		save_free(save);
	}
}

static void directory_close(struct store *store)
{
	struct directory *directory = (struct directory *)store;

	if (directory->thread_runs) {
		pthread_mutex_lock(&directory->mutex);
		directory->stop = true;
		pthread_cond_signal(&directory->wake);
		pthread_mutex_unlock(&directory->mutex);
		pthread_join(directory->thread, NULL);
	}
	if (directory->done_event != NULL)
		event_free(directory->done_event);
	free_all(&directory->waiting);
	free_all(&directory->done);
	if (directory->done_fd >= 0)
		close(directory->done_fd);
	directory_lock_release(&directory->lock);
	if (directory->fd >= 0)
		close(directory->fd);
	pthread_mutex_destroy(&directory->mutex);
	pthread_cond_destroy(&directory->wake);
	if (directory->file >= 0)
		close(directory->file);
	free(directory->text);
	free(directory->path);
	free(directory);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* RULE 14: nothing is thrown away. */
static bool set_aside(const struct directory *directory, const char *why, char *error, size_t error_size)
{
	char name[64];
	struct timespec now = rpc_wall_now();

	snprintf(name, sizeof name, "set-aside/" VIEW_FILE ".%lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
	if ((mkdirat(directory->fd, "set-aside", 0700) != 0 && errno != EEXIST) ||
	    renameat(directory->fd, VIEW_FILE, directory->fd, name) != 0) {
		snprintf(error, error_size, "cannot move the damaged %s/" VIEW_FILE " to %s: %s", directory->path, name,
			 disk_error(errno));
		return false;
	}
	fsync(directory->fd);
	log_warn("store", "the stored view is damaged and was set aside: asking the replicas file=%s/%s why=\"%s\"",
		 directory->path, name, why);
	return true;
}

/* Returns the bytes read, -1 with errno, or -2 when there are more than a view file ever has. */
static ssize_t read_all(const struct directory *directory, char *text, size_t size)
{
	int fd = openat(directory->fd, VIEW_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a pipe */
	size_t used = 0;

	if (fd < 0)
		return -1;
	while (used < size) {
		ssize_t count = read(fd, text + used, size - used);
		int reason = errno;

		if (count == 0) {
			close(fd);
			return (ssize_t)used;
		}
		if (count < 0 && errno != EINTR) {
			close(fd);
			errno = reason;
			return -1;
		}
		used += count > 0 ? (size_t)count : 0;
	}
	close(fd);
	return -2;
}

static bool load(struct directory *directory, struct views_stored *stored, char *error, size_t error_size)
{
	char text[VIEW_FILE_BYTES_MAX];
	char why[160] = "too long";
	ssize_t size = read_all(directory, text, sizeof text);

	memset(stored, 0, sizeof *stored);
	if (size == -1 && errno == ENOENT)
		return true;
	if (size == -1) {
		snprintf(error, error_size, "cannot read %s/" VIEW_FILE ": %s", directory->path, disk_error(errno));
		return false;
	}
	if (size >= 0) {
		enum view_file_verdict verdict = view_file_read(text, (size_t)size, stored, why, sizeof why);

		if (verdict == VIEW_FILE_GOOD) {
			directory->text = strndup(text, (size_t)size);
			must_allocate(directory->text);
			note_file(directory);
			return true;
		}
		if (verdict == VIEW_FILE_NEWER) {
			snprintf(error, error_size,
				 "%s/" VIEW_FILE " was written by a newer version (%s): upgrade justhungry-frontend",
				 directory->path, why);
			return false;
		}
		if (verdict == VIEW_FILE_OLDER) {
			snprintf(error, error_size,
				 "%s/" VIEW_FILE " was written before 1.0 by an older version (%s): nothing in it was "
				 "changed; use that version, or start with an empty --data-dir",
				 directory->path, why);
			return false;
		}
	}
	return set_aside(directory, why, error, error_size);
}

static bool open_path(struct directory *directory, char *error, size_t error_size)
{
	if (!make_path(directory->path, error, error_size))
		return false;
	directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->fd < 0) {
		snprintf(error, error_size, "cannot open data directory %s: %s", directory->path, disk_error(errno));
		return false;
	}
	return true;
}

static bool start_thread(struct directory *directory, struct event_base *base)
{
	directory->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (directory->done_fd < 0)
		return false;
	directory->done_event = event_new(base, directory->done_fd, EV_READ | EV_PERSIST, directory_done, directory);
	must_allocate(directory->done_event);
	event_add(directory->done_event, NULL);
	directory->thread_runs = thread_start(&directory->thread, disk_thread, directory);
	return directory->thread_runs;
}

struct store *store_open_directory(struct event_base *base, const char *path, struct views_stored *stored,
				   store_saved_fn saved, void *context, char *error, size_t error_size)
{
	static const char *const ours[] = {VIEW_FILE, NULL};
	static const struct store_keeper keeper = {.save = directory_save, .close = directory_close};
	struct directory *directory = calloc(1, sizeof *directory);

	must_allocate(directory);
	directory->store.keeper = &keeper;
	directory->path = strdup(path);
	directory->fd = directory->lock.file = directory->done_fd = directory->file = -1;
	directory->saved = saved;
	directory->context = context;
	STAILQ_INIT(&directory->waiting);
	STAILQ_INIT(&directory->done);
	pthread_mutex_init(&directory->mutex, NULL);
	pthread_cond_init(&directory->wake, NULL);
	if (!open_path(directory, error, error_size) ||
	    !directory_lock_take(&directory->lock, directory->fd, directory->path, error, error_size) ||
	    !own_files_only(directory->fd, path, ours, error, error_size) ||
	    !load(directory, stored, error, error_size) ||
	    !directory_lock_note(&directory->lock, "store", error, error_size))
		goto fail;
	if (!start_thread(directory, base)) {
		char why[SHORTAGE_TEXT];

		snprintf(error, error_size, "cannot start the disk thread: %s", shortage_text(errno, why, sizeof why));
		goto fail;
	}
	return &directory->store;
fail:
	directory_close(&directory->store);
	return NULL;
}
