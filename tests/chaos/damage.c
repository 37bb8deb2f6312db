/* Damages the journal of a stopped replica, within its written part:
 *
 *     damage flip NUMBER FILE...      one bit
 *     damage tear NUMBER FILE...      everything from some point in the last 32 KiB on becomes zeros
 *
 * of the first FILE that anything is written in. NUMBER, drawn by the driver, chooses where. Prints what it did, and
 * fails when it did nothing. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_BYTES 4096 /* of a segment; left alone: damage there is another case (an unknown version) */
#define TAIL_BYTES 32768

/* Length up to the last non-zero byte: segments are preallocated. */
static size_t used(const uint8_t *bytes, size_t size)
{
	while (size > 0 && bytes[size - 1] == 0)
		size--;
	return size;
}

static bool put(const char *path, FILE *file, const uint8_t *bytes, size_t from, size_t count, const char *what)
{
	if (fseek(file, (long)from, SEEK_SET) != 0 || fwrite(bytes + from, 1, count, file) != count ||
	    fflush(file) != 0)
		return false;
	printf("%s %s: %zu bytes from %zu\n", what, path, count, from);
	return true;
}

/* 1: damaged; 0: nothing is written in it; -1: it cannot be read or written. */
static int harm(const char *path, FILE *file, uint8_t *bytes, size_t size, const char *what, uint64_t number)
{
	size_t from = HEADER_BYTES, count = 1;

	if (fread(bytes, 1, size, file) != size)
		return -1;
	size = used(bytes, size);
	if (size <= HEADER_BYTES)
		return 0;
	if (strcmp(what, "tear") == 0) {
		if (size - HEADER_BYTES > TAIL_BYTES)
			from = size - TAIL_BYTES;
		from += number % (size - from);
		count = size - from;
		memset(bytes + from, 0, count);
	} else {
		from += number / 8 % (size - from);
		bytes[from] ^= (uint8_t)(1u << number % 8);
	}
	return put(path, file, bytes, from, count, what) ? 1 : -1;
}

static int harm_file(const char *path, const char *what, uint64_t number)
{
	FILE *file = fopen(path, "r+e");
	uint8_t *bytes = NULL;
	struct stat info;
	int harmed = -1;

	if (file && fstat(fileno(file), &info) == 0 && (bytes = malloc((size_t)info.st_size + 1)) != NULL)
		harmed = harm(path, file, bytes, (size_t)info.st_size, what, number);
	if (harmed < 0)
		fprintf(stderr, "damage: %s: %s\n", path, strerror(errno));
	if (file)
		fclose(file);
	free(bytes);
	return harmed;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: damage flip|tear NUMBER FILE...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		int harmed = harm_file(argv[i], argv[1], strtoull(argv[2], NULL, 10));

		if (harmed != 0)
			return harmed > 0 ? 0 : 1;
	}
	fprintf(stderr, "damage: nothing is written in any of them\n");
	return 1;
}
