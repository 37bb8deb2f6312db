/* Record marking (RFC 5531 section 11): a reader that finds whole records in a stream of bytes, and a writer that
 * encodes records into one buffer. Both ends use them. Neither knows a socket: bytes are handed in and out, so that
 * TLS can be put in between. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- reading ------------------------------------------------------------------------------------------------------ */

enum record_status {
	RECORD_WHOLE,    /* *record and *size name the next record */
	RECORD_MORE,     /* all input is used up; an incomplete rest is kept until the next feed */
	RECORD_TOO_LONG  /* a record announces more than the limit; the stream cannot be read any further */
};

struct record_reader {
	size_t limit;           /* maximum size of a record, all its fragments together */
	const uint8_t *input;   /* borrowed from the caller of feed, or from `stash` */
	size_t input_bytes;
	uint8_t *partial;       /* the bytes received of an incomplete record, without marks */
	size_t partial_bytes, partial_capacity;
	uint8_t mark[4];        /* a fragment's mark, until all four bytes of it have arrived */
	size_t mark_bytes;
	size_t fragment_left;   /* bytes of the current fragment not yet received */
	bool fragment_last;
	bool in_fragment;
	bool delivered;         /* `partial` holds a record that the caller may still use */
	uint8_t *stash;         /* input copied by record_reader_stash */
	size_t stash_bytes;
};

void record_reader_init(struct record_reader *reader, size_t limit);
void record_reader_free(struct record_reader *reader);

/* Passes in the next bytes. They are borrowed until record_reader_next returns RECORD_MORE, or record_reader_stash. */
void record_reader_feed(struct record_reader *reader, const uint8_t *bytes, size_t size);

/* The next whole record, valid until the next call on the reader. A record that lies entirely within the input is not
 * copied. */
enum record_status record_reader_next(struct record_reader *reader, const uint8_t **record, size_t *size);

/* Copies the unused input, so that the caller's buffer is free; record_reader_next continues with it later. For
 * callers that stop in the middle of their input. */
void record_reader_stash(struct record_reader *reader);

/* Memory it holds between two calls; input that was not stashed is the caller's. */
size_t record_reader_held(const struct record_reader *reader);

/* Whether next could find something without another feed. */
bool record_reader_has_input(const struct record_reader *reader);

/* --- writing ------------------------------------------------------------------------------------------------------ */

struct record_writer {
	uint8_t *bytes;         /* sent..end is waiting to leave */
	size_t sent, end, capacity;
	size_t limit;           /* maximum size of a record */
	size_t open_at;         /* where the mark of the record being encoded will be */
	bool open;
	XDR xdr;                /* an encoder that lets `bytes` grow */
};

void record_writer_init(struct record_writer *writer, size_t limit);
void record_writer_free(struct record_writer *writer);

/* Starts a record; the stream returned encodes into it, and fails (FALSE) beyond the limit. Then end or abort. */
XDR *record_writer_begin(struct record_writer *writer);
void record_writer_end(struct record_writer *writer);
void record_writer_abort(struct record_writer *writer);

/* The bytes waiting to be sent: *bytes, valid until the next begin or sent. Returns the count. */
size_t record_writer_pending(const struct record_writer *writer, const uint8_t **bytes);

/* Memory it holds. */
size_t record_writer_held(const struct record_writer *writer);

/* The first `count` bytes have been sent. */
void record_writer_sent(struct record_writer *writer, size_t count);
