/* Internals of log.c for log_queue.c. */
#pragma once

#include <stddef.h>

/* Writes colour and the present time; *time_bytes is where the time ends. Returns the bytes written. */
size_t log_head(char *text, size_t size, const char *colour, size_t *time_bytes);
