/* Why a file cannot be written or read, and the remedy: "check the disk" does not help against a quota. */
#pragma once

#include <stddef.h>

#define DISK_ERROR_TEXT 224

/* "Disk quota exceeded: raise the quota of the user that this runs as, or remove files of his there": the error, and
 * the remedy where one is known. Returns text. */
const char *disk_error_text(int error, char text[static DISK_ERROR_TEXT]);

/* For one line: the text lives until the end of the block. */
#define disk_error(error) disk_error_text(error, (char[DISK_ERROR_TEXT]){0})
