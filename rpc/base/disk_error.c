#include "rpc/base/disk_error.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "rpc/base/shortage.h"

static const struct {
	int error;
	const char *advice;
} known[] = {
	{ENOSPC, "free space there, or inodes (`df -h`, `df -i`)"},
	{EDQUOT, "raise the quota of the user that this runs as, or remove files of his there"},
	{EROFS, "mount it for writing; where the kernel did that because of errors, `dmesg` says so"},
	{EIO, "the disk fails, `dmesg` says how"},
	{EACCES, "give the directory and its files to the user that this runs as"},
	{EPERM, "give the directory and its files to the user that this runs as, without `chattr +i` or `+a`"},
	{ESTALE, "the network file system was exported or mounted anew: mount it again"},
	{ENAMETOOLONG, "give a shorter path"},
};

/* The limit of this process, or of the file system. */
static void too_large(char text[static DISK_ERROR_TEXT])
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		shortage_text(EFBIG, text, DISK_ERROR_TEXT);
	else
		snprintf(text, DISK_ERROR_TEXT, "%s: that file system holds no larger file: use another one",
			 strerror(EFBIG));
}

const char *disk_error_text(int error, char text[static DISK_ERROR_TEXT])
{
	if (error == EFBIG) {
		too_large(text);
		return text;
	}
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].error != error)
			continue;
		snprintf(text, DISK_ERROR_TEXT, "%s: %s", strerror(error), known[i].advice);
		return text;
	}
	return shortage_text(error, text, DISK_ERROR_TEXT);
}
