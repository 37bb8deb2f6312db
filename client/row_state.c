#include "client/row_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "rpc/cluster/protocol.h"

static bool begins(const jh_text *text, const char *words)
{
	size_t size = strlen(words);

	return text->jh_text_len >= size && memcmp(text->jh_text_val, words, size) == 0;
}

static bool is_state(const jh_text *text, enum replica_state state)
{
	const char *name = replica_state_name(state);

	return text->jh_text_len == strlen(name) && begins(text, name);
}

enum row_state row_state(const struct jh_replica_row *row)
{
	const jh_text *text = &row->state;

	if (is_state(text, STATE_SERVING))
		return ROW_SERVING;
	if (is_state(text, STATE_SETTLING))
		return ROW_SETTLING;
	if (is_state(text, STATE_FOLLOWING))
		return ROW_FOLLOWING;
	if (begins(text, OTHER_FORMAT_TEXT) || begins(text, REFUSED_HELLO_TEXT) || begins(text, OTHER_PROCESS_TEXT))
		return ROW_ANSWERS_OTHERWISE;
	return ROW_OTHER;
}
