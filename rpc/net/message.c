#include "rpc/net/message.h"

#include <arpa/inet.h>
#include <rpc/rpc.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/must.h"

#define CALL_HEAD_BYTES 40u

struct words {
	const uint8_t *record;
	size_t size, at;
};

static bool take(struct words *words, uint32_t *word)
{
	if (words->size - words->at < sizeof *word)
		return false;
	memcpy(word, words->record + words->at, sizeof *word);
	*word = ntohl(*word);
	words->at += sizeof *word;
	return true;
}

static enum reply_verdict negative(struct words *words, uint32_t stat, struct reply_head *head)
{
	static const char *const reasons[] = {
		[PROG_UNAVAIL] = "the peer does not serve the program",
		[PROC_UNAVAIL] = "the peer does not know the procedure",
		[GARBAGE_ARGS] = "the peer could not decode the arguments",
		[SYSTEM_ERR] = "the peer had a system error",
	};
	uint32_t low;
	uint32_t high;

	if (stat == PROG_MISMATCH) {
		if (!take(words, &low) || !take(words, &high))
			return REPLY_GARBAGE;
		head->version_low = low;
		head->version_high = high;
		if (low == high)
			snprintf(head->why, sizeof head->why, "the peer serves version %u only", low);
		else
			snprintf(head->why, sizeof head->why, "the peer serves versions %u to %u only", low, high);
		return REPLY_REJECTED;
	}
	if (stat > SYSTEM_ERR)
		return REPLY_GARBAGE;
	snprintf(head->why, sizeof head->why, "%s", reasons[stat]);
	head->no_program = stat == PROG_UNAVAIL;
	/* RULE 12: a call that could not be decoded, or is of no known procedure, was not executed; a system error may
	 * follow the execution. */
	return stat == SYSTEM_ERR ? REPLY_FAILED : REPLY_REJECTED;
}

static enum reply_verdict denied(struct words *words, struct reply_head *head)
{
	uint32_t stat;

	if (!take(words, &stat) || stat > AUTH_ERROR)
		return REPLY_GARBAGE;
	snprintf(head->why, sizeof head->why, "%s",
		 stat == RPC_MISMATCH ? "the peer speaks another version of RPC" : "the peer refused the credentials");
	return REPLY_REJECTED;
}

enum reply_verdict reply_head_parse(const uint8_t *record, size_t size, struct reply_head *head)
{
	struct words words = {record, size, 0};
	uint32_t direction;
	uint32_t stat;
	uint32_t flavor;
	uint32_t length;

	head->why[0] = '\0';
	head->no_program = false;
	head->version_low = head->version_high = 0;
	if (!take(&words, &head->xid) || !take(&words, &direction) || direction != REPLY || !take(&words, &stat))
		return REPLY_GARBAGE;
	if (stat == MSG_DENIED)
		return denied(&words, head);
	if (stat != MSG_ACCEPTED || !take(&words, &flavor) || !take(&words, &length) || length > MAX_AUTH_BYTES ||
	    RNDUP((size_t)length) > size - words.at)
		return REPLY_GARBAGE;
	words.at += RNDUP((size_t)length);
	if (!take(&words, &stat))
		return REPLY_GARBAGE;
	if (stat != SUCCESS)
		return negative(&words, stat, head);
	head->results_at = words.at;
	return REPLY_SUCCESS;
}

static void write_head(int32_t *words, uint32_t xid, rpcprog_t program, rpcvers_t version, rpcproc_t procedure)
{
	const int32_t *start = words;

	IXDR_PUT_U_INT32(words, xid);
	IXDR_PUT_U_INT32(words, CALL);
	IXDR_PUT_U_INT32(words, RPC_MSG_VERSION);
	IXDR_PUT_U_INT32(words, program);
	IXDR_PUT_U_INT32(words, version);
	IXDR_PUT_U_INT32(words, procedure);
	IXDR_PUT_U_INT32(words, AUTH_NONE);
	IXDR_PUT_U_INT32(words, 0);
	IXDR_PUT_U_INT32(words, AUTH_NONE);
	IXDR_PUT_U_INT32(words, 0);
	must((size_t)(words - start) * BYTES_PER_XDR_UNIT == CALL_HEAD_BYTES);
}

bool call_encode(struct record_writer *writer, uint32_t xid, rpcprog_t program, rpcvers_t version, rpcproc_t procedure,
		 xdrproc_t encode, void *arguments)
{
	XDR *xdr = record_writer_begin(writer);
	int32_t *words = XDR_INLINE(xdr, CALL_HEAD_BYTES);

	if (words != NULL) {
		write_head(words, xid, program, version, procedure);
		if (encode(xdr, arguments, 0)) {
			record_writer_end(writer);
			return true;
		}
	}
	record_writer_abort(writer);
	return false;
}
