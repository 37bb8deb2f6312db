/* The two public services that know UK postcodes: how each is asked, and what its answers mean. Pure functions of
 * text. They refuse to guess: what is not one of the documented answers is no answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rpc/base/postcode.h"

#define POSTCODE_ANSWER_BYTES 16384 /* a longer body is no answer; the real ones are under 2 KiB */
#define POSTCODE_BASE_BYTES 256     /* a base URL, with its NUL */
#define POSTCODE_URL_BYTES (POSTCODE_BASE_BYTES + 64)

enum postcode_provider { POSTCODES_IO, GETTHEDATA, POSTCODE_PROVIDERS };

enum postcode_answer {
	POSTCODE_ANSWER_EXISTS,
	POSTCODE_ANSWER_NONE,    /* there is no such postcode */
	POSTCODE_ANSWER_UNKNOWN, /* the provider works, but this postcode is beyond what it knows */
	POSTCODE_ANSWER_FAILED   /* counts as unreachable */
};

/* "postcodes.io", "getthedata.com": for logs. */
const char *postcode_provider_name(enum postcode_provider provider);

/* Copies a base URL, without trailing slashes, if it can be one: http or https with a host, no query, no fragment,
 * no user name. Otherwise false with one line in error. option: what the operator calls it. */
bool postcode_provider_base(const char *option, const char *url, char out[static POSTCODE_BASE_BYTES], char *error,
			    size_t error_size);

/* base: from postcode_provider_base; postcode: normalised. */
void postcode_provider_url(enum postcode_provider provider, const char *base, const char *postcode,
			   char out[static POSTCODE_URL_BYTES]);

/* Whether an HTTP status can be that of an answer. */
bool postcode_provider_status_answers(long status);

/* What a whole HTTP answer says of this postcode. status: HTTP's. body need not be NUL-terminated. why: for FAILED, what
 * is wrong with the answer, else NULL; kept for ever.
 *
 * postcodes.io, /postcodes/{pc}/validate: {"status":200,"result":true|false}. "false" also covers a postcode that Royal
 * Mail has retired, because the validation looks only at live ones. A 404 is not documented for this path but is what
 * the service says of an unknown postcode elsewhere, so both forms are believed when they are the service's own:
 *   with "terminated":{...}: the postcode was retired, nothing can be delivered there: none;
 *   without, and its error "Postcode not found" or "Invalid postcode": none;
 *   any other 404, such as "Resource not found" or a web server's page: the base URL is wrong or something stands in
 *   between,
 *   and nothing was said of the postcode: failed. Believing it would refuse every order after one slip in an option.
 * Of what no directory is sure to hold (postcode_is_beyond_directories) "none" is unknown.
 *
 * getthedata.com, /postcode/{pc}: {"status":"match","match_type":"unit_postcode","data":{"postcode":...,
 * "status":"live"|"terminated",...}} or {"status":"no_match",...}. Its directory is of August 2023 and without Northern
 * Ireland, so it can confirm a postcode and never refuse one: no_match, and one that was terminated by then (and may be
 * in use again), are unknown. The words are believed with HTTP 200, no_match with 404, too.
 *
 * An answer that names another postcode is none to this question. All else, including every 204, 3xx, 429 and 5xx,
 * failed. */
enum postcode_answer postcode_provider_answer(enum postcode_provider provider, const char *postcode, long status,
					      const char *body, size_t body_size, const char **why);
