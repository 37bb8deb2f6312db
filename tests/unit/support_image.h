/* For tests of a power failure: all files of a directory in memory, to be changed and put back. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define IMAGE_FILES_MAX 8u
#define IMAGE_NAME_SIZE 64

struct image {
	uint32_t count; /* of files, by name; unnamed ones (journal-next) and the lock are left out */
	struct {
		char name[IMAGE_NAME_SIZE];
		uint8_t *bytes;
		size_t size;
	} files[IMAGE_FILES_MAX];
};

void image_take(struct image *image, const char *directory);
/* The directory holds the image again, and no other file. */
void image_put(const struct image *image, const char *directory);
void image_free(struct image *image);
