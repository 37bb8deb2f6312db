/* The characters of the terminal. Everything this program reads and writes is UTF-8, whatever the environment says: a
 * container, cron or ssh often leave no locale at all (C), or name one that is not installed, in front of a terminal that
 * speaks UTF-8 all the same. */
#pragma once

#include <stdbool.h>

/* Before the first call of libedit and of wcwidth. Sets LC_CTYPE and nothing else: numbers keep their decimal point. */
void charset_begin(void);

/* False where the system has no locale of UTF-8: then libedit would drop what is not ASCII, and wcwidth knows no width. */
bool charset_is_utf8(void);
