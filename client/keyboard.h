/* What is typed at the shell's prompt, read for libedit one character at a time. libedit's own reader silently leaves out
 * every byte that it cannot decode, and an order for "jalape" and "o" is not what was typed: here such a byte shows as
 * U+FFFD and spoils the line. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* For rl_getc_function, before libedit is initialised. The next character (a code point), or -1 at the end. NUL counts as
 * one that cannot be decoded: it would end the line for whoever reads it as a string. */
int keyboard_read(FILE *in);

/* Has the line typed since the last call anything in it that is not UTF-8 text? */
bool keyboard_spoiled(void);
