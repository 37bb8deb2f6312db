#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"

#define FILES_MAX 4
#define PATH_SIZE 256

static char directory[64];
static char paths[FILES_MAX][PATH_SIZE];
static int paths_count;

/* libFuzzer's two entry points; replay.c calls them too. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* bad input is the purpose, not news */
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	fuzz_one(bytes, size);
	return 0;
}

uint8_t fuzz_u8(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

uint16_t fuzz_u16(struct fuzz_input *input)
{
	unsigned high = fuzz_u8(input);

	return (uint16_t)(high << 8 | fuzz_u8(input));
}

const uint8_t *fuzz_take(struct fuzz_input *input, size_t *size)
{
	const uint8_t *at = input->at;

	if (*size > input->left)
		*size = input->left;
	input->at += *size;
	input->left -= *size;
	return at;
}

static void remove_files(void)
{
	while (paths_count > 0)
		unlink(paths[--paths_count]);
	rmdir(directory);
}

const char *fuzz_directory(void)
{
	if (directory[0] == '\0') {
		snprintf(directory, sizeof directory, "%s/jh-fuzz-XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		must(mkdtemp(directory) != NULL);
		atexit(remove_files);
	}
	return directory;
}

static const char *path_of(const char *name)
{
	static char path[PATH_SIZE];

	snprintf(path, sizeof path, "%s/%s", fuzz_directory(), name);
	return path;
}

const char *fuzz_file(const char *name, const void *bytes, size_t size)
{
	const char *path = path_of(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd >= 0) {
		must(paths_count < FILES_MAX);
		snprintf(paths[paths_count++], PATH_SIZE, "%s", path);
	} else {
		fd = open(path, O_WRONLY | O_TRUNC);
	}
	must(fd >= 0);
	if (size > 0)
		must(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
	return path;
}
