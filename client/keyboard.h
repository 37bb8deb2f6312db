/* Input at the shell's prompt, read for libedit one character at a time. libedit's own reader silently drops every
 * byte that it cannot decode, so that an order would differ from what was typed. Here such a byte shows as U+FFFD and
 * marks the line as spoiled. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* For rl_getc_function, set before libedit is initialised. The next character (a code point), or -1 at the end. NUL
 * counts as undecodable, because it would end the line for code that reads it as a string. */
int keyboard_read(FILE *in);

/* Does the line typed since the last call contain anything that is not UTF-8 text? */
bool keyboard_spoiled(void);
