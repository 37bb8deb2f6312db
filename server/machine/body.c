#include "server/machine/body.h"

#include "rpc/base/must.h"

/* The fields that the primary assigns stand between the client's identity and its operation. */
#define CLIENT_OFFSET 0
#define REQUEST_OFFSET 16
#define TIME_OFFSET 24
#define CHECK_OFFSET 32
#define KIND_OFFSET 36
#define CONTENT_OFFSET 40

#define CHECK_HIGHEST 2 /* JH_CHECK_FORMAT_ONLY of rpc/shop.x */

bool body_parse(const void *bytes, size_t size, struct body *body)
{
	const uint8_t *at = bytes;

	if (size < CONTENT_OFFSET)
		return false;
	body->client = body_client(at);
	body->request = body_request(at);
	body->time_us = body_time_us(at);
	body->check = decode_word(at + CHECK_OFFSET);
	body->kind = decode_word(at + KIND_OFFSET);
	body->content = at + CONTENT_OFFSET;
	body->content_size = size - CONTENT_OFFSET;
	return body->check <= CHECK_HIGHEST;
}

struct uuid body_client(const void *bytes)
{
	struct uuid client;

	memcpy(&client, (const uint8_t *)bytes + CLIENT_OFFSET, sizeof client);
	return client;
}

uint64_t body_request(const void *bytes)
{
	return decode_hyper((const uint8_t *)bytes + REQUEST_OFFSET);
}

int64_t body_time_us(const void *bytes)
{
	return (int64_t)decode_hyper((const uint8_t *)bytes + TIME_OFFSET);
}

void body_encode_head(const struct body *body, struct encoder *encoder)
{
	encoder->failed |= body->check > CHECK_HIGHEST;
	encoder_bytes(encoder, &body->client, sizeof body->client);
	encoder_hyper(encoder, body->request);
	encoder_hyper(encoder, (uint64_t)body->time_us);
	encoder_word(encoder, body->check);
	encoder_word(encoder, body->kind);
}

void body_assign_time(void *bytes, int64_t time_us)
{
	encode_hyper((uint8_t *)bytes + TIME_OFFSET, (uint64_t)time_us);
}

void body_assign_check(void *bytes, uint32_t check)
{
	must(check <= CHECK_HIGHEST);
	encode_word((uint8_t *)bytes + CHECK_OFFSET, check);
}

struct digest body_content_digest(const void *bytes, size_t size)
{
	must(size >= CONTENT_OFFSET);
	return digest_of((const uint8_t *)bytes + KIND_OFFSET, size - KIND_OFFSET);
}
