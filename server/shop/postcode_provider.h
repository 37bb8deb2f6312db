/* The two public services that know UK postcodes: how each is asked, and what its answers mean. Pure functions of
 * text. Only documented answers count; anything else is no answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "rpc/base/postcode.h"

#define POSTCODE_ANSWER_BYTES 16384 /* a longer body is invalid; real ones are under 2 KiB */
#define POSTCODE_BASE_BYTES 256     /* a base URL, with its NUL */
#define POSTCODE_URL_BYTES (POSTCODE_BASE_BYTES + 64)

enum postcode_provider { POSTCODES_IO, GETTHEDATA, POSTCODE_PROVIDERS };

enum postcode_answer {
	POSTCODE_ANSWER_EXISTS,
	POSTCODE_ANSWER_NONE,    /* there is no such postcode */
	POSTCODE_ANSWER_UNKNOWN, /* the provider works, but its data does not cover this postcode */
	POSTCODE_ANSWER_FAILED   /* counts as unreachable */
};

/* "postcodes.io", "getthedata.com": for logs. */
const char *postcode_provider_name(enum postcode_provider provider);

/* Copies a base URL, without trailing slashes, if it is valid: http or https with a host, no query, no fragment, no
 * user name. Otherwise false with one line in error. option: its name for the operator. */
bool postcode_provider_base(const char *option, const char *url, char out[static POSTCODE_BASE_BYTES], char *error,
			    size_t error_size);

/* base: from postcode_provider_base; postcode: normalised. */
void postcode_provider_url(enum postcode_provider provider, const char *base, const char *postcode,
			   char out[static POSTCODE_URL_BYTES]);

/* Whether an HTTP status can be that of an answer. */
bool postcode_provider_status_answers(long status);

/* What a complete HTTP answer says about this postcode. status: HTTP's. body need not be NUL-terminated. why: for
 * FAILED, what is wrong with the answer, a static text; else NULL.
 *
 * postcodes.io, /postcodes/{pc}/validate: {"status":200,"result":true|false}. "false" also covers a postcode that Royal
 * Mail has retired, because the validation looks only at live ones. A 404 is not documented for this path but is what
 * the service says of an unknown postcode elsewhere, so both forms are accepted when they are the service's own:
 *   with "terminated":{...}: the postcode was retired, nothing can be delivered there: none;
 *   without, and its error "Postcode not found" or "Invalid postcode": none;
 *   any other 404, such as "Resource not found" or a web server's page: the base URL is wrong or a proxy answered, and
 *   nothing was said about the postcode: failed. Accepting it would refuse every order after one mistake in an option.
 * For postcodes that the providers' data may lack (postcode_is_beyond_directories) "none" means unknown.
 *
 * getthedata.com, /postcode/{pc}: {"status":"match","match_type":"unit_postcode","data":{"postcode":...,
 * "status":"live"|"terminated",...}} or {"status":"no_match",...}. Its data is of August 2023 and without Northern
 * Ireland, so it can confirm a postcode and never refuse one: no_match, and one that was terminated by then (and may be
 * in use again), are unknown. These texts are accepted with HTTP 200, no_match with 404, too.
 *
 * An answer that names another postcode, and everything else, including every 204, 3xx, 429 and 5xx, counts as
 * failed. */
enum postcode_answer postcode_provider_answer(enum postcode_provider provider, const char *postcode, long status,
					      const char *body, size_t body_size, const char **why);
