/* The lines of the client's order files and of its shell: what a person or another program typed, and postcodes.
 *
 * Input: a file; each line is one order. What is taken must fit on the wire. */
#include <stdlib.h>
#include <string.h>

#include "client/order_input.h"
#include "client/text.h"
#include "fuzz.h"
#include "rpc/base/must.h"
#include "rpc/base/utf8.h"
#include "server/postcode.h"

static void read_line(const uint8_t *bytes, size_t size)
{
	char *line = malloc(size + 1);
	struct order_input input;
	char error[ORDER_ERROR_SIZE] = "";
	char postcode[POSTCODE_SIZE], again[POSTCODE_SIZE];

	must(line != NULL);
	if (size > 0)
		memcpy(line, bytes, size);
	line[size] = '\0';
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
		}
	}
	free(line);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t length = end == NULL ? size : (size_t)(end - bytes);

		read_line(bytes, length);
		length += end != NULL;
		bytes += length;
		size -= length;
	}
}
