#include "server/machine/body.h"

#include <endian.h>
#include <string.h>

#include "rpc/base/must.h"

/* What the primary assigns stands between who asks and what is asked for. */
#define TIME_OFFSET 24
#define CHECK_OFFSET 32
#define CONTENT_OFFSET 36

#define CHECK_HIGHEST 2 /* JH_CHECK_FORMAT_ONLY of rpc/shop.x */
#define KIND_ORDER 1    /* JH_OPERATION_ORDER */

struct cursor {
	const uint8_t *at;
	size_t left;
};

static uint32_t read_32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return be32toh(value);
}

static uint64_t read_64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return be64toh(value);
}

static bool take_32(struct cursor *cursor, uint32_t *value)
{
	if (cursor->left < 4)
		return false;
	*value = read_32(cursor->at);
	cursor->at += 4;
	cursor->left -= 4;
	return true;
}

static uint32_t padded(uint32_t size)
{
	return (size + 3) & ~(uint32_t)3;
}

/* XDR opaque<limit> (RFC 4506, 4.10): size, bytes, zero padding. */
static bool take_text(struct cursor *cursor, uint32_t limit, struct order_text *text)
{
	uint32_t size;

	if (!take_32(cursor, &size) || size > limit || padded(size) > cursor->left)
		return false;
	for (uint32_t i = size; i < padded(size); i++)
		if (cursor->at[i] != 0)
			return false;
	*text = (struct order_text){.bytes = (const char *)cursor->at, .size = size};
	cursor->at += padded(size);
	cursor->left -= padded(size);
	return true;
}

static bool take_items(struct cursor *cursor, struct body *body)
{
	if (!take_32(cursor, &body->items_count) || body->items_count == 0 || body->items_count > LIMIT_ITEMS)
		return false;
	for (uint32_t i = 0; i < body->items_count; i++)
		if (!take_text(cursor, LIMIT_ITEM_BYTES, &body->items[i]) || body->items[i].size == 0)
			return false;
	return true;
}

bool body_parse(const void *bytes, size_t size, struct body *body)
{
	struct cursor cursor = {.at = bytes, .left = size};
	uint32_t kind;

	if (size < CONTENT_OFFSET)
		return false;
	memcpy(&body->client, cursor.at + BODY_CLIENT_OFFSET, sizeof body->client);
	body->request = read_64(cursor.at + BODY_REQUEST_OFFSET);
	body->time_us = (int64_t)read_64(cursor.at + TIME_OFFSET);
	body->check = read_32(cursor.at + CHECK_OFFSET);
	cursor.at += CONTENT_OFFSET;
	cursor.left -= CONTENT_OFFSET;
	body->content = cursor.at;
	body->content_size = cursor.left;
	return body->check <= CHECK_HIGHEST && take_32(&cursor, &kind) && kind == KIND_ORDER &&
	       take_text(&cursor, LIMIT_CUSTOMER_BYTES, &body->customer) &&
	       take_text(&cursor, LIMIT_POSTCODE_BYTES, &body->postcode) && take_items(&cursor, body) &&
	       cursor.left == 0;
}

struct output {
	uint8_t *at;
	size_t left;
	bool failed;
};

static void put(struct output *output, const void *bytes, size_t size)
{
	if (output->failed || size > output->left) {
		output->failed = true;
		return;
	}
	memcpy(output->at, bytes, size);
	output->at += size;
	output->left -= size;
}

static void put_32(struct output *output, uint32_t value)
{
	value = htobe32(value);
	put(output, &value, sizeof value);
}

static void put_64(struct output *output, uint64_t value)
{
	value = htobe64(value);
	put(output, &value, sizeof value);
}

static void put_text(struct output *output, uint32_t limit, const struct order_text *text)
{
	static const uint8_t zeros[3];

	if (text->size > limit) {
		output->failed = true;
		return;
	}
	put_32(output, text->size);
	if (text->size > 0)
		put(output, text->bytes, text->size);
	put(output, zeros, padded(text->size) - text->size);
}

size_t body_encode(const struct body *body, void *out, size_t size)
{
	struct output output = {.at = out, .left = size};

	if (body->items_count == 0 || body->items_count > LIMIT_ITEMS || body->check > CHECK_HIGHEST)
		return 0;
	put(&output, &body->client, sizeof body->client);
	put_64(&output, body->request);
	put_64(&output, (uint64_t)body->time_us);
	put_32(&output, body->check);
	put_32(&output, KIND_ORDER);
	put_text(&output, LIMIT_CUSTOMER_BYTES, &body->customer);
	put_text(&output, LIMIT_POSTCODE_BYTES, &body->postcode);
	put_32(&output, body->items_count);
	for (uint32_t i = 0; i < body->items_count; i++) {
		output.failed |= body->items[i].size == 0;
		put_text(&output, LIMIT_ITEM_BYTES, &body->items[i]);
	}
	return output.failed ? 0 : size - output.left;
}

void body_assign_time(void *bytes, int64_t time_us)
{
	uint64_t wire = htobe64((uint64_t)time_us);

	memcpy((uint8_t *)bytes + TIME_OFFSET, &wire, sizeof wire);
}

void body_assign_check(void *bytes, uint32_t check)
{
	uint32_t wire = htobe32(check);

	must(check <= CHECK_HIGHEST);
	memcpy((uint8_t *)bytes + CHECK_OFFSET, &wire, sizeof wire);
}

const void *body_content(const void *bytes, size_t size, size_t *content_size)
{
	must(size > CONTENT_OFFSET);
	*content_size = size - CONTENT_OFFSET;
	return (const uint8_t *)bytes + CONTENT_OFFSET;
}
