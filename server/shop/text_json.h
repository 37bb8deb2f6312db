/* Text that a person wrote, as a JSON string. */
#pragma once

#include <jansson.h>

#include "server/machine/encoding.h"

/* A new reference. Bytes that are not UTF-8, which no JSON string can hold, are escaped as in a message. */
json_t *text_json(struct text_span text);
