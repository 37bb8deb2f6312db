/* Prints a history drawn from a seed as --check --json does, for history.py to compute again. It holds what a cluster's log rarely
 * or never does: operations that come too late, numbers as high as they can be, notes, forgotten content, texts that are no UTF-8.
 *
 *     random_history SEED */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "server/disk/check_json.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"
#include "server/shop/order_encoding.h"
#include "tests/unit/support_orders.h"

enum { ENTRIES = 400, LOADED_MAX = 5, VOID_KIND = 2 };

static const char *const texts[] = {
	"soup", "", "\"tea\" \\ milk", "cr\xc3\xa8me", "\xff\xfe no UTF-8", "\xed\xa0\x80 half a pair",
	"\x01 control \x7f", "\xf0\x9f\x8d\x95", "four", "fives",
};

static struct text_span text(struct random *random)
{
	const char *bytes = texts[random_below(random, sizeof texts / sizeof texts[0])];

	return (struct text_span){.bytes = bytes, .size = (uint32_t)strlen(bytes)};
}

static struct text_span some_text(struct random *random)
{
	struct text_span drawn = text(random);

	return drawn.size > 0 ? drawn : (struct text_span){.bytes = "a\0b", .size = 3};
}

static int64_t draw_time(struct random *random)
{
	static const int64_t unusual[] = {0, -1, -1000001, INT64_MAX, INT64_MIN, 253402300800000000};

	if (random_below(random, 4) > 0)
		return (int64_t)random_below(random, 4000000000000000);
	return unusual[random_below(random, sizeof unusual / sizeof unusual[0])];
}

static uint64_t draw_request(struct random *random)
{
	return random_below(random, 50) == 0 ? UINT64_MAX - random_below(random, 3) : 1 + random_below(random, 60);
}

static void draw_extra(struct random *random, struct body *body)
{
	if (random_below(random, 2) == 0)
		body->actor = text(random);
	if (random_below(random, 2) == 0)
		body->note = text(random);
	body->forgotten = random_below(random, 2) == 0;
	body->outcome = (struct outcome){.result = (enum outcome_result)random_below(random, 3),
					 .reason = (uint32_t)random_below(random, 0x10000),
					 .values_count = (uint32_t)random_below(random, OUTCOME_VALUES + 1)};
	for (uint32_t i = 0; i < body->outcome.values_count; i++)
		body->outcome.values[i] = (int64_t)(random_below(random, UINT64_MAX));
}

static void draw_order(struct random *random, struct encoder *encoder)
{
	static const char *const postcodes[] = {"DH1 3LE", "DH1 3LG", "SW1A 1AA", ""};
	const char *postcode = postcodes[random_below(random, 4)];
	struct order order = {.customer = text(random),
			      .postcode = {.bytes = postcode, .size = (uint32_t)strlen(postcode)},
			      .items_count = 1 + (uint32_t)random_below(random, LIMIT_ITEMS)};

	for (uint32_t i = 0; i < order.items_count; i++)
		order.items[i] = some_text(random);
	must(order_encode(&order, encoder));
}

static size_t draw(struct random *random, uint8_t bytes[static LIMIT_BODY_BYTES])
{
	struct encoder encoder = {.at = bytes, .left = LIMIT_BODY_BYTES};
	struct body body = {.format = 3,
			    .client = client_number(random_below(random, 8)),
			    .request = draw_request(random),
			    .time_us = draw_time(random),
			    .check = (uint32_t)random_below(random, 3),
			    .kind = random_below(random, 4) == 0 ? VOID_KIND : ORDER_KIND};

	if (random_below(random, 4) == 0)
		draw_extra(random, &body);
	body_encode_head(&body, &encoder);
	if (body.kind == ORDER_KIND)
		draw_order(random, &encoder);
	must(!encoder.failed);
	return LIMIT_BODY_BYTES - encoder.left;
}

int main(int argc, char **argv)
{
	struct random random = {.state = argc == 2 ? strtoull(argv[1], NULL, 10) : 0};
	struct machine *machine = machine_new(ENTRIES);
	uint64_t loaded = random_below(&random, LOADED_MAX + 1), commit;
	char error[256], digest[DIGEST_TEXT_SIZE], fold[DIGEST_TEXT_SIZE];
	uint8_t bytes[LIMIT_BODY_BYTES];

	for (uint64_t i = 0; i < ENTRIES; i++) {
		size_t size = draw(&random, bytes);

		must(i < loaded ? machine_load(machine, bytes, size, error, sizeof error)
				: machine_apply(machine, bytes, size) == MACHINE_APPLIED);
	}
	commit = random_below(&random, machine_op(machine) + 1);
	check_json_print(machine_history(machine), ENTRIES, commit, stdout);
	printf("{\"op\":%" PRIu64 ",\"commit\":%" PRIu64 ",\"digest\":\"%s\",\"fold\":\"%s\",\"damaged\":false}\n", machine_op(machine),
	       commit, digest_format(history_digest(machine_history(machine)), digest),
	       digest_format(machine_fold(machine), fold));
	machine_free(machine);
	return 0;
}
