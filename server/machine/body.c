#include "server/machine/body.h"

#include "rpc/base/must.h"

#define FORMAT_OFFSET 0
#define CLIENT_OFFSET 4
#define REQUEST_OFFSET 20
#define TIME_OFFSET 28
#define CHECK_OFFSET 36
#define EXTRA_OFFSET 40 /* whether actor, note and what was forgotten follow; then kind and content */

#define CHECK_HIGHEST 2 /* JH_CHECK_FORMAT_ONLY of rpc/shop.x */
#define ACTOR_MAX 64    /* JH_ACTOR_MAX */
#define NOTE_MAX 256    /* JH_NOTE_MAX */

_Static_assert(CLIENT_OFFSET == BODY_KEY_OFFSET && TIME_OFFSET == BODY_KEY_OFFSET + BODY_KEY_BYTES,
	       "client and request stand together");

static bool decode_bool(struct decoder *decoder, bool *value)
{
	uint32_t word;

	if (!decoder_word(decoder, &word) || word > 1)
		return false;
	*value = word == 1;
	return true;
}

static bool parse_extra(struct decoder *decoder, struct body *body)
{
	if (!decoder_text(decoder, ACTOR_MAX, &body->actor) || !decoder_text(decoder, NOTE_MAX, &body->note) ||
	    !decode_bool(decoder, &body->forgotten))
		return false;
	if (body->forgotten && (!outcome_decode(decoder, &body->outcome) ||
				!decoder_hyper(decoder, &body->content_digest.low) ||
				!decoder_hyper(decoder, &body->content_digest.high)))
		return false;
	/* What has none of these is encoded without: there is one encoding of everything. */
	return body->forgotten || body->actor.size > 0 || body->note.size > 0;
}

bool body_parse(const void *bytes, size_t size, struct body *body)
{
	struct decoder decoder = {.at = bytes, .left = size};
	bool extra;

	if (size < EXTRA_OFFSET)
		return false;
	body->format = decode_word(decoder.at + FORMAT_OFFSET);
	body->client = body_client(bytes);
	body->request = body_request(bytes);
	body->time_us = body_time_us(bytes);
	body->check = decode_word(decoder.at + CHECK_OFFSET);
	body->actor = body->note = (struct text_span){0};
	body->forgotten = false;
	decoder.at += EXTRA_OFFSET;
	decoder.left -= EXTRA_OFFSET;
	if (!decode_bool(&decoder, &extra) || (extra && !parse_extra(&decoder, body)) ||
	    !decoder_word(&decoder, &body->kind))
		return false;
	body->content = decoder.at;
	body->content_size = decoder.left;
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

void body_key(struct uuid client, uint64_t request, uint8_t key[static BODY_KEY_BYTES])
{
	memcpy(key, &client, sizeof client);
	encode_hyper(key + sizeof client, request);
}

void body_encode_head(const struct body *body, struct encoder *encoder)
{
	bool extra = body->forgotten || body->actor.size > 0 || body->note.size > 0;

	encoder->failed |= body->check > CHECK_HIGHEST;
	encoder_word(encoder, body->format);
	encoder_bytes(encoder, &body->client, sizeof body->client);
	encoder_hyper(encoder, body->request);
	encoder_hyper(encoder, (uint64_t)body->time_us);
	encoder_word(encoder, body->check);
	encoder_word(encoder, extra);
	if (extra) {
		encoder_text(encoder, ACTOR_MAX, body->actor);
		encoder_text(encoder, NOTE_MAX, body->note);
		encoder_word(encoder, body->forgotten);
	}
	if (body->forgotten) {
		outcome_encode(&body->outcome, encoder);
		encoder_hyper(encoder, body->content_digest.low);
		encoder_hyper(encoder, body->content_digest.high);
	}
	encoder_word(encoder, body->kind);
}

void body_assign_format(void *bytes, uint32_t format)
{
	encode_word((uint8_t *)bytes + FORMAT_OFFSET, format);
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

struct digest body_content_digest(const struct body *body)
{
	const uint8_t *kind = (const uint8_t *)body->content - sizeof(uint32_t); /* it stands before the content */
	struct digest digest;

	if (body->forgotten)
		return body->content_digest;
	digest = digest_of(kind, sizeof(uint32_t) + body->content_size);
	return body->note.size > 0 ? digest_chain(digest, body->note.bytes, body->note.size) : digest;
}
