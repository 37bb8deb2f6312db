#include "tests/unit/support_image.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/must.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static uint32_t list(int directory, char names[][IMAGE_NAME_SIZE])
{
	DIR *listing = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY));
	uint32_t count = 0;
	struct stat info;

	must(listing != NULL);
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
		if (strcmp(entry->d_name, "journal-next") == 0 || strcmp(entry->d_name, "lock") == 0 ||
		    fstatat(directory, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
			continue;
		must(count < IMAGE_FILES_MAX);
		must(snprintf(names[count++], IMAGE_NAME_SIZE, "%s", entry->d_name) < IMAGE_NAME_SIZE);
	}
	closedir(listing);
	qsort(names, count, IMAGE_NAME_SIZE, by_name);
	return count;
}

void image_take(struct image *image, const char *directory)
{
	char names[IMAGE_FILES_MAX][IMAGE_NAME_SIZE];
	int at = open(directory, O_RDONLY | O_DIRECTORY);

	image->count = list(at, names);
	for (uint32_t i = 0; i < image->count; i++) {
		struct stat info;
		int file = openat(at, names[i], O_RDONLY);

		must(fstat(file, &info) == 0);
		memcpy(image->files[i].name, names[i], IMAGE_NAME_SIZE);
		image->files[i].size = (size_t)info.st_size;
		image->files[i].bytes = malloc(image->files[i].size + 1);
		must(read(file, image->files[i].bytes, image->files[i].size) == info.st_size);
		close(file);
	}
	close(at);
}

void image_put(const struct image *image, const char *directory)
{
	char names[IMAGE_FILES_MAX][IMAGE_NAME_SIZE];
	int at = open(directory, O_RDONLY | O_DIRECTORY);
	uint32_t count = list(at, names);

	for (uint32_t i = 0; i < count; i++)
		unlinkat(at, names[i], 0);
	unlinkat(at, "journal-next", 0);
	for (uint32_t i = 0; i < image->count; i++) {
		int file = openat(at, image->files[i].name, O_WRONLY | O_CREAT | O_EXCL, 0600);

		must(write(file, image->files[i].bytes, image->files[i].size) == (ssize_t)image->files[i].size);
		close(file);
	}
	close(at);
}

void image_free(struct image *image)
{
	for (uint32_t i = 0; i < image->count; i++)
		free(image->files[i].bytes);
	image->count = 0;
}
