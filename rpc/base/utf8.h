/* The characters that text may contain: it is stored forever and shown on terminals. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when bytes are UTF-8 in its shortest form (RFC 3629: no surrogates, nothing above U+10FFFF) without any control
 * character: no NUL, no C0 (also no tab, no line end), no DEL, no C1. The empty text is valid. */
bool utf8_valid_text(const char *bytes, size_t size);

/* Invisible when displayed: a control character, a character of no width (also soft hyphen, direction marks, tag
 * characters, variation selectors), or one that Unicode will never assign. */
bool utf8_unseen(uint32_t character);

/* White space of any width, including the plain one, no-break and ideographic. */
bool utf8_space(uint32_t character);

/* Does the text consist of these only? The empty text is blank, bytes that are not UTF-8 are not. */
bool utf8_blank(const char *bytes, size_t size);

/* The length of a character that begins with this byte, 1 to 4; 0 when none does. */
size_t utf8_size(uint8_t first);

/* Reads one character of at most `left` (> 0) bytes, any that RFC 3629 allows; returns its length, or 0 when it is
 * invalid. */
size_t utf8_take(const uint8_t *at, size_t left, uint32_t *character);
