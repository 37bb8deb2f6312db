#include "rpc/base/utf8.h"

#include <stdint.h>

size_t utf8_size(uint8_t first)
{
	return first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
}

size_t utf8_take(const uint8_t *at, size_t left, uint32_t *character)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000}; /* lowest of this many bytes */
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

struct range {
	uint32_t first, last;
};

static bool is_within(const struct range *ranges, size_t count, uint32_t character)
{
	for (size_t i = 0; i < count; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

bool utf8_unseen(uint32_t character)
{
	/* Controls; what Unicode calls Default_Ignorable_Code_Point; separators of lines and paragraphs; the anchors of
	 * annotations. */
	static const struct range ranges[] = {
		{0, 0x1f},	    {0x7f, 0x9f},	{0xad, 0xad},	    {0x34f, 0x34f},	{0x61c, 0x61c},
		{0x115f, 0x1160},   {0x17b4, 0x17b5},	{0x180b, 0x180f},   {0x200b, 0x200f},	{0x2028, 0x202e},
		{0x2060, 0x206f},   {0x3164, 0x3164},	{0xfe00, 0xfe0f},   {0xfeff, 0xfeff},	{0xffa0, 0xffa0},
		{0xfff0, 0xfffb},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	if (character >= 0x20 && character < 0x7f)
		return false;
	/* The last two of each plane are no characters and never will be. */
	return (character & 0xfffe) == 0xfffe || (character >= 0xfdd0 && character <= 0xfdef) ||
	       is_within(ranges, sizeof ranges / sizeof *ranges, character);
}

bool utf8_space(uint32_t character)
{
	/* Unicode's White_Space, and the empty pattern of Braille. */
	static const struct range ranges[] = {
		{0x09, 0x0d},	  {0x20, 0x20},	    {0x85, 0x85},     {0xa0, 0xa0},	{0x1680, 0x1680}, {0x2000, 0x200a},
		{0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000},
	};

	return is_within(ranges, sizeof ranges / sizeof *ranges, character);
}

bool utf8_blank(const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		uint32_t character;
		size_t taken = utf8_take((const uint8_t *)bytes + at, size - at, &character);

		if (taken == 0 || (!utf8_space(character) && !utf8_unseen(character)))
			return false;
		at += taken;
	}
	return true;
}
