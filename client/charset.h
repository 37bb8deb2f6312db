/* The character set of the terminal. This program reads and writes UTF-8 only, whatever the environment says:
 * containers, cron and ssh often set no locale (C), or name one that is not installed, although the terminal uses
 * UTF-8. */
#pragma once

#include <stdbool.h>

/* Call before libedit and wcwidth are first used. Sets LC_CTYPE only: numbers keep their decimal point. */
void charset_begin(void);

/* False where the system has no UTF-8 locale: libedit then drops non-ASCII characters, and wcwidth knows no widths. */
bool charset_is_utf8(void);
