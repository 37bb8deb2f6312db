#include "rpc/base/uuid.h"

#include <stdio.h>
#include <sys/random.h>

#include "rpc/base/must.h"

struct uuid uuid_draw(void)
{
	struct uuid uuid;

	must(getrandom(uuid.bytes, sizeof uuid.bytes, 0) == (ssize_t)sizeof uuid.bytes);
	uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
	uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
	return uuid;
}

const char *uuid_format(struct uuid uuid, char text[static UUID_TEXT_SIZE])
{
	const uint8_t *b = uuid.bytes;

	snprintf(text, UUID_TEXT_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		 b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return text;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool uuid_parse(const char *text, struct uuid *uuid)
{
	size_t count = 0;
	size_t i = 0;

	if (strlen(text) != UUID_TEXT_SIZE - 1)
		return false;
	while (count < sizeof uuid->bytes) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i++] != '-')
				return false;
			continue;
		}
		int high = hex_digit(text[i]);
		int low = high < 0 ? -1 : hex_digit(text[i + 1]);

		if (low < 0)
			return false;
		uuid->bytes[count++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	return true;
}
