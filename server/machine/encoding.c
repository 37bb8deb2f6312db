#include "server/machine/encoding.h"

bool decoder_word(struct decoder *decoder, uint32_t *value)
{
	if (decoder->left < sizeof *value)
		return false;
	*value = decode_word(decoder->at);
	decoder->at += sizeof *value;
	decoder->left -= sizeof *value;
	return true;
}

bool decoder_hyper(struct decoder *decoder, uint64_t *value)
{
	if (decoder->left < sizeof *value)
		return false;
	*value = decode_hyper(decoder->at);
	decoder->at += sizeof *value;
	decoder->left -= sizeof *value;
	return true;
}

bool decoder_text(struct decoder *decoder, uint32_t limit, struct text_span *text)
{
	uint32_t size;

	if (!decoder_word(decoder, &size) || size > limit || encoding_padded(size) > decoder->left)
		return false;
	for (uint32_t i = size; i < encoding_padded(size); i++)
		if (decoder->at[i] != 0)
			return false;
	*text = (struct text_span){.bytes = (const char *)decoder->at, .size = size};
	decoder->at += encoding_padded(size);
	decoder->left -= encoding_padded(size);
	return true;
}

void encoder_bytes(struct encoder *encoder, const void *bytes, size_t size)
{
	if (encoder->failed || size > encoder->left) {
		encoder->failed = true;
		return;
	}
	if (size > 0)
		memcpy(encoder->at, bytes, size);
	encoder->at += size;
	encoder->left -= size;
}

void encoder_word(struct encoder *encoder, uint32_t value)
{
	value = htobe32(value);
	encoder_bytes(encoder, &value, sizeof value);
}

void encoder_hyper(struct encoder *encoder, uint64_t value)
{
	value = htobe64(value);
	encoder_bytes(encoder, &value, sizeof value);
}

void encoder_text(struct encoder *encoder, uint32_t limit, struct text_span text)
{
	static const uint8_t zeros[3];

	if (text.size > limit) {
		encoder->failed = true;
		return;
	}
	encoder_word(encoder, text.size);
	encoder_bytes(encoder, text.bytes, text.size);
	encoder_bytes(encoder, zeros, encoding_padded(text.size) - text.size);
}
