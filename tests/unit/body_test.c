/* The bytes of an order: the hand-written converter reads and writes exactly what rpcgen's does, and refuses what is
 * not canonical. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/format.h"
#include "rpc/shop.h"
#include "server/machine/operation.h"
#include "server/shop/order_encoding.h"
#include "support_orders.h"

#define ITEMS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct text_span draw_text(struct random *random, uint32_t least, uint32_t limit)
{
	static char letters[256];

	for (size_t i = 0; i < sizeof letters; i++)
		letters[i] = (char)i;

	uint32_t size = least + (uint32_t)random_below(random, random_below(random, 4) ? 12 : limit - least + 1);

	if (size > limit)
		size = limit;
	return (struct text_span){letters + random_below(random, sizeof letters - size + 1), size};
}

/* A body and its order. */
struct sample {
	struct body body;
	struct order order;
};

static bool parse(const void *bytes, size_t size, struct sample *sample)
{
	return operation_parse(bytes, size, &sample->body) != NULL &&
	       order_parse(sample->body.content, sample->body.content_size, &sample->order);
}

static size_t encode(const struct sample *sample, void *out, size_t size)
{
	return order_encode_body(&sample->body, &sample->order, out, size);
}

static void draw_sample(struct random *random, struct sample *sample)
{
	struct body *body = &sample->body;
	struct order *order = &sample->order;

	*sample = (struct sample){.body = {.format = FORMAT_LOW, .client = client_number(random_below(random, 1000))}};
	body->request = random_below(random, UINT64_MAX);
	body->time_us = (int64_t)random_below(random, UINT64_MAX);
	body->check = (uint32_t)random_below(random, 3);
	if (random_below(random, 3) == 0) {
		body->actor = draw_text(random, 0, 64);
		body->note = draw_text(random, 0, 256);
		body->forgotten = random_below(random, 2);
	}
	if (body->forgotten) {
		body->outcome = (struct outcome){.result = (enum outcome_result)random_below(random, 4),
						 .reason = (uint32_t)random_below(random, 12)};
		while (body->outcome.values_count < random_below(random, OUTCOME_VALUES + 1))
			outcome_value(&body->outcome, (int64_t)random_below(random, UINT64_MAX));
		body->content_digest = (struct digest){random_below(random, UINT64_MAX), 7};
	}
	order->customer = draw_text(random, 0, LIMIT_CUSTOMER_BYTES);
	order->postcode = draw_text(random, 0, LIMIT_POSTCODE_BYTES);
	order->items_count = 1 + (uint32_t)random_below(random, random_below(random, 8) ? 4 : LIMIT_ITEMS);
	for (uint32_t i = 0; i < order->items_count; i++)
		order->items[i] = draw_text(random, 1, LIMIT_ITEM_BYTES);
}

static void assert_same_text(struct text_span mine, const char *bytes, u_int size)
{
	assert_int_equal(mine.size, size);
	assert_memory_equal(mine.bytes, bytes, size);
}

static void assert_same(const struct sample *sample, const jh_body *theirs)
{
	const struct body *body = &sample->body;
	const struct order *mine = &sample->order;
	const jh_order *order = &theirs->operation.jh_operation_u.order;

	assert_int_equal(body->format, theirs->format);
	assert_int_equal(theirs->extra != NULL, body->actor.size > 0 || body->note.size > 0 || body->forgotten);
	if (theirs->extra != NULL) {
		const jh_forgotten *forgotten = theirs->extra->forgotten;

		assert_same_text(body->actor, theirs->extra->actor.actor_val, theirs->extra->actor.actor_len);
		assert_same_text(body->note, theirs->extra->note.note_val, theirs->extra->note.note_len);
		assert_int_equal(forgotten != NULL, body->forgotten);
		if (forgotten != NULL) {
			assert_int_equal(forgotten->outcome.result, body->outcome.result);
			assert_int_equal(forgotten->outcome.reason, body->outcome.reason);
			assert_int_equal(forgotten->outcome.values.values_len, body->outcome.values_count);
			for (uint32_t i = 0; i < body->outcome.values_count; i++)
				assert_true(forgotten->outcome.values.values_val[i] == body->outcome.values[i]);
		}
	}
	assert_memory_equal(body->client.bytes, theirs->client.bytes, 16);
	assert_true(body->request == theirs->request);
	assert_true(body->time_us == theirs->time_us);
	assert_int_equal(body->check, theirs->check);
	assert_same_text(mine->customer, order->customer.customer_val, order->customer.customer_len);
	assert_same_text(mine->postcode, order->postcode.postcode_val, order->postcode.postcode_len);
	assert_int_equal(mine->items_count, order->items.items_len);
	for (uint32_t i = 0; i < mine->items_count; i++)
		assert_same_text(mine->items[i], order->items.items_val[i].jh_item_val,
				 order->items.items_val[i].jh_item_len);
}

/* rpcgen's converter reads what ours writes, writes the same bytes, and ours reads those. Of bytes with one changed,
 * ours accepts only what rpcgen's accepts, and only when it would write exactly these bytes. */
static void bodies_agree_with_rpcgen(void **state)
{
	struct random random = {11};
	unsigned accepted = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char bytes[LIMIT_BODY_BYTES], again[LIMIT_BODY_BYTES];
		struct sample drawn, read;
		jh_body theirs = {0};
		XDR in, out;

		draw_sample(&random, &drawn);
		size_t size = encode(&drawn, bytes, sizeof bytes);

		assert_true(size > 0);
		if (round % 2)
			bytes[random_below(&random, size)] ^= (char)(1 << random_below(&random, 8));

		bool mine = parse(bytes, size, &read);

		xdrmem_create(&in, bytes, (u_int)size, XDR_DECODE);
		xdrmem_create(&out, again, sizeof again, XDR_ENCODE);
		bool their_own = xdr_jh_body(&in, &theirs) && xdr_getpos(&in) == size && xdr_jh_body(&out, &theirs) &&
				 xdr_getpos(&out) == size && memcmp(bytes, again, size) == 0;

		if (round % 2 == 0)
			assert_true(mine && their_own);
		if (mine) {
			assert_true(their_own);
			assert_same(&read, &theirs);
			accepted += (unsigned)round % 2;
		}
		xdr_free((xdrproc_t)xdr_jh_body, &theirs);
	}
	assert_true(accepted > 1000); /* otherwise nothing was compared */
}

/* Every prefix of a body, every excess length, and each rule of the canonical form broken once. */
static void malformed_bodies_are_refused(void **state)
{
	uint8_t good[LIMIT_BODY_BYTES], bad[LIMIT_BODY_BYTES];
	struct sample body;
	size_t size = make_body(good, client_number(1), 1, 1, "DH1 3LE", ITEMS("pizza", "soup"));

	(void)state;
	assert_true(parse(good, size, &body));
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *exact = malloc(cut + 1); /* so that ASan sees a read past the end */

		memcpy(exact, good, cut);
		assert_false(parse(exact, cut, &body));
		free(exact);
	}
	memcpy(bad, good, size);
	memset(bad + size, 0, 4);
	assert_false(parse(bad, size + 4, &body));

	static const struct {
		size_t offset;
		uint8_t value;
	} breaks[] = {
		{3, 2},     /* a format that has no orders */
		{39, 3},    /* no such check */
		{43, 2},    /* no truth value */
		{43, 1},    /* actor and note announced, and none there */
		{47, 9},    /* no such operation */
		{51, 65},   /* customer too long */
		{55, 33},   /* postcode too long */
		{63, 'x'},  /* padding of the postcode */
		{67, 0},    /* no items, and trailing bytes */
		{67, 33},   /* too many items */
		{71, 0},    /* an empty item */
		{71, 129},  /* an item too long */
		{68, 0xff}, /* a size beyond all limits */
		{77, 1},    /* padding of an item */
	};
	for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
		memcpy(bad, good, size);
		bad[breaks[i].offset] = breaks[i].value;
		assert_false(parse(bad, size, &body));
	}

	/* An empty item, and nothing else wrong. */
	memcpy(bad, good, 68);
	bad[67] = 1;
	memset(bad + 68, 0, 4);
	assert_false(parse(bad, 72, &body));

	struct sample none = {.body = {.format = FORMAT_LOW}, .order = {.postcode = {"DH1 3LE", 7}}};

	assert_int_equal(encode(&none, bad, sizeof bad), 0);
	none.order.items_count = 1;
	assert_int_equal(encode(&none, bad, sizeof bad), 0);
	none.order.items[0] = (struct text_span){"pizza", 5};
	assert_int_equal(encode(&none, bad, 75), 0);
	assert_int_equal(encode(&none, bad, 80), 80);
}

/* Fields assigned later give the same bytes as fields assigned at once, and are not part of the content. */
static void what_is_assigned_later(void **state)
{
	static uint8_t at_once[LIMIT_BODY_BYTES], later[LIMIT_BODY_BYTES];
	struct random random = {12};
	struct sample sample;
	struct body *body = &sample.body, first, second;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		draw_sample(&random, &sample);

		size_t size = encode(&sample, at_once, sizeof at_once);
		int64_t time_us = body->time_us;
		uint32_t check = body->check;

		body->time_us = 0;
		body->check = 0;
		assert_int_equal(encode(&sample, later, sizeof later), size);
		assert_true(body_parse(later, size, &first) && body_parse(at_once, size, &second));
		assert_true(digest_equal(body_content_digest(&first), body_content_digest(&second)));
		body_assign_time(later, time_us);
		body_assign_check(later, check);
		assert_memory_equal(later, at_once, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_agree_with_rpcgen),
		cmocka_unit_test(malformed_bodies_are_refused),
		cmocka_unit_test(what_is_assigned_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
