/* What log.c lends to log_queue.c. */
#pragma once

#include <stddef.h>

/* Writes colour and the time of now; *time_bytes is where that ends. Returns the bytes written. */
size_t log_head(char *text, size_t size, const char *colour, size_t *time_bytes);
