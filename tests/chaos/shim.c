/* Preloaded into a replica (or the front-end): a disk that fails, stalls and forgets what was not synced, and a wall
 * clock that jumps. For the release build: sanitizers and preloads do not mix.
 *
 * JH_SHIM_CONTROL names a file that the driver writes and this maps: byte 0 says what to do next, bytes 8 to 31 are
 * the seconds that the wall clock is off, in decimal.
 *
 *     e  the next sync fails with EIO; nothing was synced
 *     w  the next write to a file fails with EIO
 *     p  power cut: what is written from now on is lost at the next sync, and the process dies there
 *     t  the same, but a drawn part of it reached the disk: whole sectors, from the front
 *     T  the same, but any sectors of it, as a disk that reorders them leaves it
 *     s  syncs take until something else is written here
 *     l  the disk lies: syncs report success and do nothing, until a power cut takes it all. No system survives that
 *        on every disk; this tests that the checker detects it
 *
 *     d  the process dies right after the next sync of a file that succeeds
 *     D  the same of a directory: what a rename put there is durable, and not yet acknowledged
 *     c  power cut as soon as the process looks at a clock or syncs, though it may have nothing more to write
 *
 * After e, w, p, t, T, d, D and c byte 0 becomes '-': they happen once. Data written before `p` and never synced
 * stays, as it may on a disk. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_BYTES 64
#define CLOCK_AT 8
#define CLOCK_BYTES 24
#define UNDO_MAX 4096
#define SECTOR 512

/* The old contents of a written range, to be restored. */
struct undo {
	int fd;       /* our own, through the page cache */
	off_t at;
	size_t size;  /* of the write */
	uint8_t *old; /* the first `kept` bytes that were there; the file ended after them */
	size_t kept;
};

static volatile char *control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct undo undos[UNDO_MAX];
static size_t undos_count;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);

/* dlsym gives an object pointer; copying it is how POSIX has it made a function. */
static void find(void *function, const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		abort();
	memcpy(function, &symbol, sizeof symbol);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("JH_SHIM_CONTROL");
	void *map;
	int fd;

	find(&real_pwrite, "pwrite");
	find(&real_fdatasync, "fdatasync");
	find(&real_fsync, "fsync");
	find(&real_clock_gettime, "clock_gettime");
	if (!path)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	map = mmap(NULL, CONTROL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		abort();
	control = map;
}

static char command(void)
{
	return control ? control[0] : '-';
}

/* What is written now may have to be undone. */
static bool forgetful(void)
{
	char now = command();

	return now == 'p' || now == 't' || now == 'T' || now == 'l' || now == 'c';
}

static bool is_file(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* True once for each time the driver asked. */
static bool take(char wanted)
{
	bool taken;

	if (command() != wanted)
		return false;
	pthread_mutex_lock(&lock);
	taken = control[0] == wanted;
	if (taken)
		control[0] = '-';
	pthread_mutex_unlock(&lock);
	return taken;
}

/* Saves the contents of [at, at + size) of the file. Under the lock. */
static void remember(int fd, size_t size, off_t at)
{
	struct undo *undo = &undos[undos_count];
	char path[64];
	ssize_t got;

	if (undos_count == UNDO_MAX)
		abort(); /* a power cut that takes some of it and leaves what was written later is impossible */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	*undo = (struct undo){.fd = open(path, O_RDWR | O_CLOEXEC), .at = at, .size = size, .old = malloc(size)};
	if (undo->fd < 0 || !undo->old)
		abort();
	while (undo->kept < size &&
	       (got = pread(undo->fd, undo->old + undo->kept, size - undo->kept, at + (off_t)undo->kept)) > 0)
		undo->kept += (size_t)got;
	undos_count++;
}

/* Restores what followed the first `reached` bytes of that write. */
static void put_back(const struct undo *undo, size_t reached)
{
	if (reached < undo->kept)
		real_pwrite(undo->fd, undo->old + reached, undo->kept - reached, undo->at + (off_t)reached);
	else if (undo->kept < undo->size && ftruncate(undo->fd, undo->at + (off_t)undo->kept) != 0)
		abort();
}

static _Noreturn void die(void)
{
	control[0] = '-';
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static uint64_t drawn(void)
{
	uint64_t number;

	if (getrandom(&number, sizeof number, 0) != sizeof number)
		abort();
	return number;
}

/* Of all that was written only the first `reached` bytes remain. */
static void keep_front(uint64_t total, uint64_t reached)
{
	for (size_t i = undos_count; i-- > 0;) {
		total -= undos[i].size;
		if (reached < total + undos[i].size)
			put_back(&undos[i], reached > total ? (size_t)(reached - total) : 0);
	}
}

/* Of each write some sectors remain and some do not. What lay beyond the file's former end reads as zeros. */
static void keep_some(void)
{
	for (size_t i = undos_count; i-- > 0;) {
		const struct undo *undo = &undos[i];
		uint8_t sector[SECTOR] = {0};

		for (size_t at = 0; at < undo->size; at += SECTOR) {
			size_t size = undo->size - at < SECTOR ? undo->size - at : SECTOR;

			if (drawn() % 2 == 0)
				continue;
			memset(sector, 0, sizeof sector);
			if (at < undo->kept)
				memcpy(sector, undo->old + at, undo->kept - at < size ? undo->kept - at : size);
			real_pwrite(undo->fd, sector, size, undo->at + (off_t)at);
		}
	}
}

/* Under the lock, which is never released: no thread of this process writes any more. */
static _Noreturn void cut_power(char how)
{
	uint64_t total = 0;

	for (size_t i = 0; i < undos_count; i++)
		total += undos[i].size;
	if (how == 'T')
		keep_some();
	else
		keep_front(total, how == 't' ? drawn() % (total + 1) / SECTOR * SECTOR : 0);
	die();
}

static ssize_t shim_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	ssize_t done;

	if (command() == '-' || !is_file(fd))
		return real_pwrite(fd, bytes, size, at);
	if (take('w')) {
		errno = EIO;
		return -1;
	}
	if (!forgetful())
		return real_pwrite(fd, bytes, size, at);
	pthread_mutex_lock(&lock);
	remember(fd, size, at);
	done = real_pwrite(fd, bytes, size, at);
	pthread_mutex_unlock(&lock);
	return done;
}

static int shim_sync(int fd, int (*sync)(int))
{
	int result;

	while (command() == 's')
		usleep(10000);
	if (is_file(fd) && take('e')) {
		errno = EIO;
		return -1;
	}
	if (command() == 'l')
		return 0;
	if (forgetful()) {
		pthread_mutex_lock(&lock);
		if (undos_count > 0)
			cut_power(command());
		pthread_mutex_unlock(&lock);
	}
	result = sync(fd);
	if (result == 0 && ((command() == 'd' && is_file(fd)) || (command() == 'D' && !is_file(fd))))
		die();
	return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	return shim_pwrite(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
	return shim_pwrite(fd, bytes, size, at);
}

int fdatasync(int fd)
{
	return shim_sync(fd, real_fdatasync);
}

int fsync(int fd)
{
	return shim_sync(fd, real_fsync);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	char text[CLOCK_BYTES + 1] = "";

	if (!real_clock_gettime)
		find(&real_clock_gettime, "clock_gettime");
	int result = real_clock_gettime(clock, now);

	if (command() == 'c') {
		pthread_mutex_lock(&lock);
		cut_power('c');
	}
	if (clock != CLOCK_REALTIME || !control || result != 0)
		return result;
	for (int i = 0; i < CLOCK_BYTES; i++)
		text[i] = control[CLOCK_AT + i];
	now->tv_sec += strtol(text, NULL, 10);
	return result;
}
