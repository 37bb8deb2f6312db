/* The lines of the client's order files and of its shell: as typed by a person or another program, and postcodes.
 *
 * Input: a file; each line is one order. An accepted order must fit on the wire. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/order_input.h"
#include "client/text.h"
#include "fuzz.h"
#include "rpc/base/escape.h"
#include "rpc/base/lines.h"
#include "rpc/base/must.h"
#include "rpc/base/postcode.h"
#include "rpc/base/utf8.h"

static void read_line(char *line, size_t size)
{
	struct order_input input;
	char error[ORDER_ERROR_SIZE] = "";
	char postcode[POSTCODE_SIZE], again[POSTCODE_SIZE], shown[256], twice[256];

	must(memchr(line, '\0', size) == NULL); /* order_input_from_line reads strings */
	must(memchr(line, '\r', size) == NULL);
	escape_into(shown, sizeof shown, line, size, ESCAPE_STRICT);
	must(utf8_valid_text(shown, strlen(shown)));
	must(strcmp(escape_into(twice, sizeof twice, shown, strlen(shown), ESCAPE_LINE), shown) == 0);
	if (postcode_normalise(line, size, postcode)) {
		must(postcode_normalise(postcode, strlen(postcode), again));
		must(strcmp(postcode, again) == 0);
	}
	if (order_input_from_line(line, size, NULL, &input, error) != ORDER_FINE) {
		must(error[0] != '\0');
	} else {
		must(strlen(input.postcode) <= JH_POSTCODE_MAX);
		must(input.items_count >= 1);
		must(input.items_count <= JH_ITEMS_MAX);
		for (size_t i = 0; i < input.items_count; i++) {
			must(input.items[i][0] != '\0');
			must(strlen(input.items[i]) <= JH_ITEM_MAX);
			must(utf8_valid_text(input.items[i], strlen(input.items[i])));
			must(!utf8_blank(input.items[i], strlen(input.items[i])));
		}
	}
}

static void read_words(const char *line)
{
	struct words words = words_split(line);

	must(words.count <= WORDS_MAX);
	words_free(&words);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");
	struct lines *lines = lines_new(file);
	struct line line;
	enum lines_found found;
	uint64_t before = 0;

	must(file != NULL);
	while ((found = lines_next(lines, &line)) != LINES_END) {
		must(found != LINES_FAILED);
		must(line.number > before);
		before = line.number;
		if (found == LINES_REFUSED) {
			must(line.error[0] != '\0');
			continue;
		}
		read_words(line.text);
		read_line(line.text, line.size);
	}
	lines_free(lines);
	fclose(file);
}
