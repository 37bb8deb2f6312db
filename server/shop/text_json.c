#include "server/shop/text_json.h"

#include <stdlib.h>

#include "rpc/base/escape.h"
#include "rpc/base/shortage.h"

json_t *text_json(struct text_span text)
{
	json_t *json = json_stringn(text.size > 0 ? text.bytes : "", text.size);
	char *escaped;

	if (json != NULL)
		return json;
	escaped = escape_dup(text.bytes, text.size, ESCAPE_TEXT);
	json = json_string(escaped);
	must_allocate(json);
	free(escaped);
	return json;
}
