#include "client/keyboard.h"

#include <editline/readline.h>
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "rpc/base/utf8.h"

#define REPLACEMENT 0xfffd

static bool spoiled; /* readline's interface leaves no other place for it */
static int pending = -1;

/* A byte, or -1 at the end of input. */
static int next_byte(int fd)
{
	unsigned char byte;
	ssize_t got;

	if (pending >= 0) {
		byte = (unsigned char)pending;
		pending = -1;
		return byte;
	}
	/* A signal that did not end the process: the window was resized, or the job continues. */
	while ((got = read(fd, &byte, 1)) < 0 && errno == EINTR)
		rl_forced_update_display();
	return got == 1 ? byte : -1;
}

static int spoil(void)
{
	spoiled = true;
	return REPLACEMENT;
}

int keyboard_read(FILE *in)
{
	uint8_t bytes[4];
	uint32_t character;
	size_t count = 0, wanted;
	int byte = next_byte(fileno(in));

	if (byte < 0)
		return -1;
	if (byte == 0)
		return spoil();
	bytes[count++] = (uint8_t)byte;
	for (wanted = utf8_size(bytes[0]); count < wanted; bytes[count++] = (uint8_t)byte) {
		byte = next_byte(fileno(in));
		if (byte < 0)
			return spoil();
		if ((byte & 0xc0) != 0x80) { /* it begins the next character */
			pending = byte;
			return spoil();
		}
	}
	return utf8_take(bytes, count, &character) ? (int)character : spoil();
}

bool keyboard_spoiled(void)
{
	bool was = spoiled;

	spoiled = false;
	return was;
}
