#include "rpc/net/record.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define LAST_FRAGMENT 0x80000000u
#define FIRST_CAPACITY 1024u
#define KEEP_PARTIAL 4096u  /* thousands of idle connections must hold little */
#define KEEP_OUTPUT 65536u

/* --- reading ------------------------------------------------------------------------------------------------------ */

void record_reader_init(struct record_reader *reader, size_t limit)
{
	must(limit > 0 && limit < LAST_FRAGMENT);
	*reader = (struct record_reader){.limit = limit};
}

void record_reader_free(struct record_reader *reader)
{
	free(reader->partial);
	free(reader->stash);
	*reader = (struct record_reader){.limit = reader->limit};
}

void record_reader_feed(struct record_reader *reader, const uint8_t *bytes, size_t size)
{
	must(!record_reader_has_input(reader));
	free(reader->stash);
	reader->stash = NULL;
	reader->stash_bytes = 0;
	reader->input = bytes;
	reader->input_bytes = size;
}

bool record_reader_has_input(const struct record_reader *reader)
{
	return reader->input_bytes > 0;
}

void record_reader_stash(struct record_reader *reader)
{
	if (reader->input_bytes == 0 || reader->stash != NULL)
		return;
	reader->stash = malloc(reader->input_bytes);
	must_allocate(reader->stash);
	memcpy(reader->stash, reader->input, reader->input_bytes);
	reader->stash_bytes = reader->input_bytes;
	reader->input = reader->stash;
}

size_t record_reader_held(const struct record_reader *reader)
{
	return reader->partial_capacity + reader->stash_bytes;
}

static void consume(struct record_reader *reader, size_t count)
{
	reader->input += count;
	reader->input_bytes -= count;
}

/* The caller is done with the last record: its memory may be reused. */
static void forget_delivered(struct record_reader *reader)
{
	if (!reader->delivered)
		return;
	reader->delivered = false;
	reader->partial_bytes = 0;
	if (reader->partial_capacity > KEEP_PARTIAL) {
		free(reader->partial);
		reader->partial = NULL;
		reader->partial_capacity = 0;
	}
}

/* The buffer grows with the bytes received, never with what a mark announces: 4 bytes must not cost megabytes. */
static void keep_partial(struct record_reader *reader, size_t count)
{
	size_t needed = reader->partial_bytes + count;

	if (needed > reader->partial_capacity) {
		size_t capacity = reader->partial_capacity < FIRST_CAPACITY ? FIRST_CAPACITY : reader->partial_capacity;

		while (capacity < needed)
			capacity *= 2;
		reader->partial = realloc(reader->partial, capacity);
		must_allocate(reader->partial);
		reader->partial_capacity = capacity;
	}
	if (count > 0)
		memcpy(reader->partial + reader->partial_bytes, reader->input, count);
	reader->partial_bytes = needed;
	consume(reader, count);
}

/* Takes a mark from the input; false until all four bytes have arrived. */
static bool take_mark(struct record_reader *reader)
{
	while (reader->mark_bytes < sizeof reader->mark && reader->input_bytes > 0) {
		reader->mark[reader->mark_bytes++] = *reader->input;
		consume(reader, 1);
	}
	if (reader->mark_bytes < sizeof reader->mark)
		return false;

	uint32_t mark;

	memcpy(&mark, reader->mark, sizeof mark);
	mark = ntohl(mark);
	reader->mark_bytes = 0;
	reader->fragment_last = (mark & LAST_FRAGMENT) != 0;
	reader->fragment_left = mark & ~LAST_FRAGMENT;
	reader->in_fragment = true;
	return true;
}

static enum record_status next_record(struct record_reader *reader, const uint8_t **record, size_t *size)
{
	forget_delivered(reader);
	for (;;) {
		if (!reader->in_fragment && !take_mark(reader))
			return RECORD_MORE;
		if (reader->fragment_left > reader->limit - reader->partial_bytes)
			return RECORD_TOO_LONG;
		if (reader->partial_bytes == 0 && reader->fragment_last &&
		    reader->fragment_left <= reader->input_bytes) {
			*record = reader->input;
			*size = reader->fragment_left;
			consume(reader, reader->fragment_left);
			reader->in_fragment = false;
			return RECORD_WHOLE;
		}

		size_t count = reader->fragment_left < reader->input_bytes ? reader->fragment_left
									   : reader->input_bytes;

		keep_partial(reader, count);
		reader->fragment_left -= count;
		if (reader->fragment_left > 0)
			return RECORD_MORE;
		reader->in_fragment = false;
		if (reader->fragment_last) {
			*record = reader->partial;
			*size = reader->partial_bytes;
			reader->delivered = true;
			return RECORD_WHOLE;
		}
	}
}

enum record_status record_reader_next(struct record_reader *reader, const uint8_t **record, size_t *size)
{
	enum record_status status = next_record(reader, record, size);

	if (status == RECORD_MORE && reader->stash != NULL) {
		must(reader->input_bytes == 0);
		free(reader->stash);
		reader->stash = NULL;
		reader->stash_bytes = 0;
	}
	return status;
}

/* --- writing: an XDR stream over a buffer that grows -------------------------------------------------------------- */

static struct record_writer *writer_of(XDR *xdr)
{
	return xdr->x_private;
}

static size_t record_bytes(const struct record_writer *writer)
{
	return writer->end - writer->open_at - 4;
}

static void make_room(struct record_writer *writer, size_t count)
{
	if (count <= writer->capacity - writer->end)
		return;

	/* Drops what was sent. In whole words, so that x_inline's pointers stay aligned. */
	size_t gone = writer->sent & ~(size_t)3;

	if (gone > writer->capacity / 2) {
		memmove(writer->bytes, writer->bytes + gone, writer->end - gone);
		writer->sent -= gone;
		writer->end -= gone;
		if (writer->open)
			writer->open_at -= gone;
		if (count <= writer->capacity - writer->end)
			return;
	}

	size_t capacity = writer->capacity == 0 ? FIRST_CAPACITY : writer->capacity * 2;

	while (capacity < writer->end + count)
		capacity *= 2;

	uint8_t *grown = realloc(writer->bytes, capacity);

	must_allocate(grown);
	writer->bytes = grown;
	writer->capacity = capacity;
}

static uint8_t *append(XDR *xdr, size_t count)
{
	struct record_writer *writer = writer_of(xdr);

	must(writer->open);
	if (count > writer->limit - record_bytes(writer))
		return NULL;
	make_room(writer, count);

	uint8_t *at = writer->bytes + writer->end;

	writer->end += count;
	return at;
}

static bool_t stream_putlong(XDR *xdr, const long *value)
{
	uint32_t word = htonl((uint32_t)*value);
	uint8_t *at = append(xdr, sizeof word);

	if (at == NULL)
		return FALSE;
	memcpy(at, &word, sizeof word);
	return TRUE;
}

static bool_t stream_putbytes(XDR *xdr, const char *bytes, u_int count)
{
	uint8_t *at = append(xdr, count);

	if (at == NULL)
		return FALSE;
	if (count > 0)
		memcpy(at, bytes, count);
	return TRUE;
}

static int32_t *stream_inline(XDR *xdr, u_int count)
{
	uint8_t *at;

	/* Returning NULL makes the caller use putlong, which needs no alignment. */
	if ((writer_of(xdr)->end & 3) != 0)
		return NULL;
	at = append(xdr, count);
	return (int32_t *)(void *)at;
}

static u_int stream_getpos(XDR *xdr)
{
	return (u_int)record_bytes(writer_of(xdr));
}

static bool_t stream_setpos(XDR *xdr, u_int position)
{
	struct record_writer *writer = writer_of(xdr);

	if (position > record_bytes(writer))
		return FALSE;
	writer->end = writer->open_at + 4 + position;
	return TRUE;
}

/* This stream only encodes. */
static bool_t stream_getlong(XDR *xdr, long *value)
{
	(void)xdr;
	(void)value;
	return FALSE;
}

static bool_t stream_getbytes(XDR *xdr, char *bytes, u_int count)
{
	(void)xdr;
	(void)bytes;
	(void)count;
	return FALSE;
}

static void stream_destroy(XDR *xdr)
{
	(void)xdr;
}

static bool_t stream_control(XDR *xdr, int request, void *info)
{
	(void)xdr;
	(void)request;
	(void)info;
	return FALSE;
}

static const struct xdr_ops stream_ops = {
	.x_getlong = stream_getlong,
	.x_putlong = stream_putlong,
	.x_getbytes = stream_getbytes,
	.x_putbytes = stream_putbytes,
	.x_getpostn = stream_getpos,
	.x_setpostn = stream_setpos,
	.x_inline = stream_inline,
	.x_destroy = stream_destroy,
	.x_control = stream_control,
};

void record_writer_init(struct record_writer *writer, size_t limit)
{
	must(limit > 0 && limit < LAST_FRAGMENT);
	*writer = (struct record_writer){.limit = limit};
}

void record_writer_free(struct record_writer *writer)
{
	free(writer->bytes);
	*writer = (struct record_writer){.limit = writer->limit};
}

XDR *record_writer_begin(struct record_writer *writer)
{
	must(!writer->open);
	make_room(writer, 4);
	writer->open_at = writer->end;
	writer->end += 4;
	writer->open = true;
	writer->xdr = (XDR){.x_op = XDR_ENCODE, .x_ops = &stream_ops, .x_private = writer};
	return &writer->xdr;
}

void record_writer_end(struct record_writer *writer)
{
	must(writer->open);

	uint32_t mark = htonl(LAST_FRAGMENT | (uint32_t)record_bytes(writer));

	memcpy(writer->bytes + writer->open_at, &mark, sizeof mark);
	writer->open = false;
}

void record_writer_abort(struct record_writer *writer)
{
	must(writer->open);
	writer->end = writer->open_at;
	writer->open = false;
}

size_t record_writer_pending(const struct record_writer *writer, const uint8_t **bytes)
{
	*bytes = writer->bytes == NULL ? NULL : writer->bytes + writer->sent; /* C does not define NULL + 0 */
	return (writer->open ? writer->open_at : writer->end) - writer->sent;
}

size_t record_writer_held(const struct record_writer *writer)
{
	return writer->capacity;
}

void record_writer_sent(struct record_writer *writer, size_t count)
{
	must(!writer->open);
	must(count <= writer->end - writer->sent);
	writer->sent += count;
	if (writer->sent < writer->end)
		return;
	writer->sent = 0;
	writer->end = 0;
	if (writer->capacity > KEEP_OUTPUT) {
		free(writer->bytes);
		writer->bytes = NULL;
		writer->capacity = 0;
	}
}
