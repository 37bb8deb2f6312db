#include "client/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "rpc/base/escape.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/utf8.h"
#include "rpc/base/wall.h"

char *text_escape(const void *bytes, size_t size)
{
	return escape_dup(bytes, size, ESCAPE_TEXT);
}

char *text_line(const void *bytes, size_t size)
{
	return escape_dup(bytes, size, ESCAPE_LINE);
}

/* Cells of one character, according to the C library once charset_begin has been called. */
static size_t cells_of(uint32_t code)
{
	int cells = wcwidth((wchar_t)code);

	return cells < 0 ? 1 : (size_t)cells;
}

size_t text_columns(const char *text)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
	size_t columns = 0;

	while (at < end) {
		uint32_t code;
		size_t length = utf8_take(at, (size_t)(end - at), &code);

		columns += length ? cells_of(code) : 1;
		at += length ? length : 1;
	}
	return columns;
}

char *text_shell_quote(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,@%+=";
	size_t size = 4 * strlen(word) + 3;
	char *out = malloc(size), *to = out;

	must_allocate(out);
	if (*word && word[strspn(word, plain)] == 0) {
		snprintf(out, size, "%s", word);
		return out;
	}
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *word;
		}
	}
	*to++ = '\'';
	*to = 0;
	return out;
}

const char *text_time(int64_t time_us, char out[static TEXT_TIME_SIZE])
{
	char seconds[WALL_TEXT_SIZE];
	unsigned int us = (unsigned int)(time_us % 1000000 < 0 ? time_us % 1000000 + 1000000 : time_us % 1000000);

	wall_text(time_us, seconds);
	seconds[strcspn(seconds, "Z")] = '\0';
	snprintf(out, TEXT_TIME_SIZE, "%.31s.%06uZ", seconds, us % 1000000);
	return out;
}

const char *text_duration(uint64_t seconds, char out[static TEXT_TIME_SIZE])
{
	unsigned long long s = seconds;

	if (s < 60)
		snprintf(out, TEXT_TIME_SIZE, "%llu s", s);
	else if (s < 3600)
		snprintf(out, TEXT_TIME_SIZE, "%llu m %llu s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, TEXT_TIME_SIZE, "%llu h %llu m", s / 3600, s / 60 % 60);
	else
		snprintf(out, TEXT_TIME_SIZE, "%llu d %llu h", s / 86400, s / 3600 % 24);
	return out;
}

/* Does word have the given form, in which A stands for a letter and 9 for a digit? */
static bool has_form(const char *word, const char *form)
{
	for (; *form && *word; form++, word++)
		if (*form == 'A' ? !isalpha((unsigned char)*word) : !isdigit((unsigned char)*word))
			return false;
	return !*form && !*word;
}

bool text_postcode_halves(const char *first, const char *second)
{
	static const char *const outward[] = {"A9", "A99", "AA9", "AA99", "A9A", "AA9A", "AAA", "AAAA"};

	if (!has_form(second, "9AA"))
		return false;
	for (size_t i = 0; i < sizeof outward / sizeof *outward; i++)
		if (has_form(first, outward[i]))
			return true;
	return false;
}

/* Copies one word from *line to *to, both moved past it. Returns NULL, or why it could not be read. */
static const char *read_word(const char **line, char **to)
{
	char quote = 0;
	const char *at = *line;

	for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
		if (quote == '\'' ? *at == '\'' : quote == '"' && *at == '"') {
			quote = 0;
		} else if (!quote && (*at == '\'' || *at == '"')) {
			quote = *at;
		} else if (*at == '\\' && quote != '\'' && (!quote || at[1] == '"' || at[1] == '\\')) {
			if (!at[1])
				return "nothing follows the backslash";
			*(*to)++ = *++at;
		} else {
			*(*to)++ = *at;
		}
	}
	*(*to)++ = 0;
	*line = at;
	return quote ? "a quote is not closed" : NULL;
}

struct words words_split(const char *line)
{
	struct words words = {.memory = malloc(strlen(line) + 2)};
	char *to = words.memory;

	must_allocate(words.memory);
	for (;;) {
		while (isspace((unsigned char)*line))
			line++;
		if (!*line || *line == '#' || words.error)
			return words;
		if (words.count == WORDS_MAX) {
			words.error = "too many words";
			return words;
		}
		words.word[words.count++] = to;
		words.error = read_word(&line, &to);
	}
}

void words_free(struct words *words)
{
	free(words->memory);
	*words = (struct words){0};
}
