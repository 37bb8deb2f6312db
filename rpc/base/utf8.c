#include "rpc/base/utf8.h"

#include <stdint.h>

size_t utf8_size(uint8_t first)
{
	return first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
}

size_t utf8_take(const uint8_t *at, size_t left, uint32_t *character)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000}; /* what needs this many bytes */
	size_t size = utf8_size(at[0]);

	if (size == 0 || size > left)
		return 0;
	*character = size == 1 ? at[0] : at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (at[i] & 0x3f);
	}
	if (*character < lowest[size] || *character > 0x10ffff || (*character >= 0xd800 && *character <= 0xdfff))
		return 0;
	return size;
}

bool utf8_valid_text(const char *bytes, size_t size)
{
	const uint8_t *at = (const uint8_t *)bytes;

	while (size > 0) {
		uint32_t character;
		size_t taken = utf8_take(at, size, &character);

		if (taken == 0 || character < 0x20 || (character >= 0x7f && character < 0xa0))
			return false;
		at += taken;
		size -= taken;
	}
	return true;
}
