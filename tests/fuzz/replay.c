/* main of a fuzzer without libFuzzer: runs every file of the directories named, in the order of their names. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/must.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *running;

static void say_running(void *context)
{
	(void)context;
	fprintf(stderr, "replay: the input was %s\n", running);
}

/* The bytes are in memory of exactly their size, so that reading past them is detected. */
static void run_file(const char *path)
{
	struct stat info;
	int fd = open(path, O_RDONLY);

	must(fd >= 0);
	must(fstat(fd, &info) == 0);

	size_t size = (size_t)info.st_size;
	uint8_t *bytes = malloc(size == 0 ? 1 : size);

	must(bytes != NULL);
	must(read(fd, bytes, size) == (ssize_t)size);
	close(fd);
	running = path;
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
}

static int run_directory(const char *path)
{
	struct dirent **entries;
	char file[1024];
	int ran = 0;
	int count = scandir(path, &entries, NULL, alphasort);

	if (count < 0) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		exit(2);
	}
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
			run_file(file);
			ran++;
		}
		free(entries[i]);
	}
	free(entries);
	return ran;
}

int main(int argc, char **argv)
{
	int ran = 0;

	must_on_failure(say_running, NULL);
	LLVMFuzzerInitialize(&argc, &argv);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		ran += run_directory(argv[i]);
	printf("%d inputs\n", ran);
	return ran > 0 ? 0 : 2; /* an empty corpus checks nothing */
}
