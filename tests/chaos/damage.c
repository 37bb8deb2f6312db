/* Harms a journal of a replica that does not run, within what was written of it:
 *
 *     damage flip FILE NUMBER      one bit
 *     damage tear FILE NUMBER      everything from some point in the last 32 KiB on becomes zeros
 *
 * NUMBER, drawn by the driver, chooses where. Prints what it did. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_BYTES 4096 /* of a segment; left alone: harm there is another case (an unknown version) */
#define TAIL_BYTES 32768

static int fail(const char *path)
{
	fprintf(stderr, "damage: %s: %s\n", path, strerror(errno));
	return 1;
}

/* Length up to the last byte that is not zero: segments are preallocated. */
static size_t used(const uint8_t *bytes, size_t size)
{
	while (size > 0 && bytes[size - 1] == 0)
		size--;
	return size;
}

int main(int argc, char **argv)
{
	struct stat info;

	if (argc != 4) {
		fprintf(stderr, "usage: damage flip|tear FILE NUMBER\n");
		return 2;
	}
	uint64_t number = strtoull(argv[3], NULL, 10);
	FILE *file = fopen(argv[2], "r+e");

	if (!file || fstat(fileno(file), &info) != 0)
		return fail(argv[2]);

	size_t size = (size_t)info.st_size;
	uint8_t *bytes = malloc(size + 1);

	if (!bytes || fread(bytes, 1, size, file) != size)
		return fail(argv[2]);
	size = used(bytes, size);
	if (size <= HEADER_BYTES) {
		printf("nothing is written in %s\n", argv[2]);
		return fclose(file);
	}

	size_t from = HEADER_BYTES, count = 1;

	if (strcmp(argv[1], "tear") == 0) {
		from = size - HEADER_BYTES > TAIL_BYTES ? size - TAIL_BYTES : HEADER_BYTES;
		from += number % (size - from);
		count = size - from;
		memset(bytes + from, 0, count);
	} else {
		from += number / 8 % (size - from);
		bytes[from] ^= (uint8_t)(1u << number % 8);
	}
	if (fseek(file, (long)from, SEEK_SET) != 0 || fwrite(bytes + from, 1, count, file) != count || fclose(file) != 0)
		return fail(argv[2]);
	printf("%s %s: %zu bytes from %zu of %zu\n", argv[1], argv[2], count, from, size);
	free(bytes);
	return 0;
}
