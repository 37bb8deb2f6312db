/* Preloaded into a process of a test: its wall clock is off by the seconds that the file $WRONG_CLOCK holds, in
 * decimal; without the file by none. The file is read again and again, so that the clock of a running process can
 * jump. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long ahead_s(void)
{
	const char *path = getenv("WRONG_CLOCK");
	char text[32] = "";
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;

	ssize_t size = read(fd, text, sizeof text - 1);

	close(fd);
	return size > 0 ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	int result;

	if (real == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "clock_gettime");

		memcpy(&real, &symbol, sizeof real);
	}
	result = real(clock, now);
	if (result == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += ahead_s();
	return result;
}
