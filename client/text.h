/* Text as people type and read it: shell quoting, escapes for terminals, times. Pure. Control characters are never
 * passed on: the text of one customer must not move another's cursor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_TIME_SIZE 40

/* A copy, to be freed by the caller, safe to print (rpc/base/escape.h): of text that a person wrote, and of a server's
 * line, in which such text is already escaped. */
char *text_escape(const void *bytes, size_t size);
char *text_line(const void *bytes, size_t size);

/* The terminal cells of escaped text: two for a wide character (East Asian, emoji), none for a combining one. */
size_t text_columns(const char *text);

/* A copy, to be freed by the caller, that a POSIX shell and words_split read back as the one word `word`. */
char *text_shell_quote(const char *word);

/* RFC 3339, UTC, microseconds: "2024-05-01T12:00:00.000001Z"; see wall_text for years of other lengths. Returns out. */
const char *text_time(int64_t time_us, char out[static TEXT_TIME_SIZE]);

/* "42 s", "3 m 5 s", "2 h 4 m", "9 d 1 h". Returns out. */
const char *text_duration(uint64_t seconds, char out[static TEXT_TIME_SIZE]);

/* Do the two words look like the halves of one UK postcode ("DH1", "3LE"), typed without quotes? */
bool text_postcode_halves(const char *first, const char *second);

/* --- lines split into words, as a shell does it without expanding anything -------------------------------------- */

#define WORDS_MAX 256

struct words {
	int count;
	char *word[WORDS_MAX + 1]; /* NULL after the last */
	char *memory;              /* of all words */
	const char *error;         /* NULL, or why the line could not be split */
};

/* Blanks separate words; 'single' and "double" quotes and backslash quote; # at the start of a word begins a
 * comment. */
struct words words_split(const char *line);
void words_free(struct words *words);
