#include "tests/unit/support_golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PATH_SIZE 512
#define BYTES_A_LINE 16

static const char *path_of(const struct golden *golden, char path[static PATH_SIZE])
{
	assert_in_range(snprintf(path, PATH_SIZE, "%s/%s-%u/%s.hex", GOLDEN_DIRECTORY, golden->number->folder,
				 golden->number->value, golden->file),
			1, PATH_SIZE - 1);
	return path;
}

void golden_put(struct golden_bytes *bytes, const void *from, size_t size)
{
	assert_true(size <= sizeof bytes->at - bytes->size);
	if (size > 0)
		memcpy(bytes->at + bytes->size, from, size);
	bytes->size += size;
}

/* Lines of hexadecimal bytes; "@OFFSET" continues there, skipped bytes are zero; # begins a comment. */
static bool read_hex(FILE *file, struct golden_bytes *bytes)
{
	char line[256];

	bytes->size = 0;
	while (fgets(line, sizeof line, file)) {
		char *at = line, *end;

		line[strcspn(line, "#\n")] = '\0';
		if (*at == '@') {
			unsigned long offset = strtoul(at + 1, NULL, 16);

			if (offset < bytes->size || offset > sizeof bytes->at)
				return false;
			memset(bytes->at + bytes->size, 0, offset - bytes->size);
			bytes->size = offset;
			continue;
		}
		for (;; at = end) {
			unsigned long byte = strtoul(at, &end, 16);

			if (end == at)
				break;
			if (byte > 255 || bytes->size == sizeof bytes->at)
				return false;
			bytes->at[bytes->size++] = (uint8_t)byte;
		}
		if (*(at + strspn(at, " ")) != '\0')
			return false;
	}
	return true;
}

static bool only_zeros(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* A gap of zeros is a line of its own; the last byte is always there. */
static void write_hex(FILE *file, const struct golden *golden, const struct golden_bytes *bytes)
{
	bool gap = false;

	fprintf(file, "# %s, %s %u: %zu bytes\n", golden->what, golden->number->name, golden->number->value, bytes->size);
	for (size_t at = 0; at < bytes->size; at += BYTES_A_LINE) {
		size_t count = bytes->size - at < BYTES_A_LINE ? bytes->size - at : BYTES_A_LINE;

		if (at > 0 && at + count < bytes->size && only_zeros(bytes->at + at, count)) {
			gap = true;
			continue;
		}
		if (gap)
			fprintf(file, "@%08zx\n", at);
		gap = false;
		for (size_t i = 0; i < count; i++)
			fprintf(file, "%s%02x", i ? " " : "", bytes->at[at + i]);
		fputc('\n', file);
	}
}

static void write_missing(const struct golden *golden, const struct golden_bytes *now)
{
	char path[PATH_SIZE];
	FILE *file = fopen(path_of(golden, path), "r");

	if (file == NULL) {
		snprintf(path, sizeof path, "%s/%s-%u", GOLDEN_DIRECTORY, golden->number->folder, golden->number->value);
		mkdir(path, 0755);
		file = fopen(path_of(golden, path), "w");
		assert_non_null(file);
		write_hex(file, golden, now);
	}
	fclose(file);
}

void golden_read(const struct golden *golden, struct golden_bytes *kept)
{
	char path[PATH_SIZE];
	FILE *file = fopen(path_of(golden, path), "r");

	if (file == NULL)
		fail_msg("%s of %s %u: there is no golden file %s: a new number needs its golden files (tests/golden/"
			 "README.md) and a line in docs/formats.md",
			 golden->what, golden->number->name, golden->number->value, path);
	if (!read_hex(file, kept))
		fail_msg("%s is not hexadecimal", path);
	fclose(file);
}

static void differs(const struct golden *golden, const char *how, size_t at)
{
	char path[PATH_SIZE];

	fail_msg("%s of %s %u no longer %s %s (byte %zu): raise the number, add golden files and a line in "
		 "docs/formats.md",
		 golden->what, golden->number->name, golden->number->value, how, path_of(golden, path), at);
}

static size_t first_difference(const struct golden_bytes *a, const struct golden_bytes *b)
{
	size_t at = 0;

	while (at < a->size && at < b->size && a->at[at] == b->at[at])
		at++;
	return at;
}

void golden_equal(const struct golden *golden, const struct golden_bytes *now)
{
	static struct golden_bytes kept;

	if (getenv("JH_GOLDEN_WRITE"))
		write_missing(golden, now);
	golden_read(golden, &kept);
	if (kept.size != now->size || memcmp(kept.at, now->at, now->size) != 0)
		differs(golden, "is written as", first_difference(&kept, now));
}

static void encode(const struct golden_bytes *head, xdrproc_t convert, void *value, struct golden_bytes *bytes)
{
	XDR xdr;

	bytes->size = 0;
	golden_put(bytes, head->at, head->size);
	xdrmem_create(&xdr, (char *)bytes->at + bytes->size, (u_int)(sizeof bytes->at - bytes->size), XDR_ENCODE);
	assert_true(convert(&xdr, value, 0));
	bytes->size += xdr_getpos(&xdr);
}

void golden_xdr_behind(const struct golden *golden, const struct golden_bytes *head, xdrproc_t convert, void *sample,
		       size_t size)
{
	static struct golden_bytes bytes, kept;
	void *value;
	XDR xdr;

	encode(head, convert, sample, &bytes);
	golden_equal(golden, &bytes);
	value = calloc(1, size > 0 ? size : 1);
	assert_non_null(value);
	golden_read(golden, &kept);
	xdrmem_create(&xdr, (char *)kept.at + head->size, (u_int)(kept.size - head->size), XDR_DECODE);
	if (!convert(&xdr, value, 0) || xdr_getpos(&xdr) != kept.size - head->size)
		differs(golden, "reads as", head->size + xdr_getpos(&xdr));
	encode(head, convert, value, &bytes);
	if (bytes.size != kept.size || memcmp(bytes.at, kept.at, kept.size) != 0)
		differs(golden, "reads as", first_difference(&bytes, &kept));
	xdr_free(convert, value);
	free(value);
}

void golden_xdr(const struct golden *golden, xdrproc_t convert, void *sample, size_t size)
{
	static const struct golden_bytes none;

	golden_xdr_behind(golden, &none, convert, sample, size);
}
