#include "server/shop/postcode_provider.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define HTTP_OK 200
#define HTTP_NOT_FOUND 404

const char *postcode_provider_name(enum postcode_provider provider)
{
	must(provider < POSTCODE_PROVIDERS);
	return provider == POSTCODES_IO ? "postcodes.io" : "getthedata.com";
}

/* NULL, or what is wrong with it. */
static const char *complaint_about(CURLU *parsed, const char *url)
{
	const char *wrong = NULL;
	char *scheme = NULL;
	char *unwanted = NULL;

	if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
		return "is no URL";
	if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		wrong = "must begin with http:// or https://";
	curl_free(scheme);
	static const CURLUPart no_parts[] = {CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_USER, CURLUPART_PASSWORD};
	for (size_t i = 0; !wrong && i < sizeof(no_parts) / sizeof(no_parts[0]); i++) {
		if (curl_url_get(parsed, no_parts[i], &unwanted, 0) == CURLUE_OK)
			wrong = "must have no user name, query or fragment";
		curl_free(unwanted);
		unwanted = NULL;
	}
	return wrong;
}

bool postcode_provider_base(const char *option, const char *url, char out[static POSTCODE_BASE_BYTES], char *error,
			    size_t error_size)
{
	const char *wrong = "is longer than 255 bytes";
	size_t size = strlen(url);

	_Static_assert(POSTCODE_BASE_BYTES == 256, "the complaint names the bound");
	if (size < POSTCODE_BASE_BYTES) {
		CURLU *parsed = curl_url();
		must_allocate(parsed);
		wrong = complaint_about(parsed, url);
		curl_url_cleanup(parsed);
	}
	if (wrong) {
		snprintf(error, error_size, "%s \"%.100s\" %s: give one like https://api.%s", option, url, wrong,
			 strcmp(option, "--getthedata") == 0 ? "getthedata.com" : "postcodes.io");
		return false;
	}
	while (size > 0 && url[size - 1] == '/')
		size--;
	memcpy(out, url, size);
	out[size] = '\0';
	return true;
}

void postcode_provider_url(enum postcode_provider provider, const char *base, const char *postcode,
			   char out[static POSTCODE_URL_BYTES])
{
	const char *space = strchr(postcode, ' ');

	must(space);
	must(strlen(base) < POSTCODE_BASE_BYTES);
	must(strlen(postcode) < POSTCODE_SIZE);
	/* Of the characters in a normalised postcode, only the space must be escaped in a URL. */
	snprintf(out, POSTCODE_URL_BYTES,
		 provider == POSTCODES_IO ? "%s/postcodes/%.*s%%20%s/validate" : "%s/postcode/%.*s%%20%s", base,
		 (int)(space - postcode), postcode, space + 1);
}

static bool says(const json_t *object, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value && strcmp(value, text) == 0;
}

static enum postcode_answer failed(const char **why, const char *what)
{
	*why = what;
	return POSTCODE_ANSWER_FAILED;
}

/* Whether a text in the answer is a postcode other than the one that was asked about. Services write them with and
 * without the space. */
static bool names_another(const json_t *object, const char *name, const char *postcode)
{
	const json_t *value = json_object_get(object, name);
	char named[POSTCODE_SIZE];

	return json_is_string(value) &&
	       (!postcode_normalise(json_string_value(value), json_string_length(value), named) ||
		strcmp(named, postcode) != 0);
}

static enum postcode_answer postcodes_io_answer(const char *postcode, long status, const json_t *body, const char **why)
{
	const json_t *terminated = json_object_get(body, "terminated");

	if (json_integer_value(json_object_get(body, "status")) != status)
		return failed(why, "the JSON is not of the documented form");
	if (names_another(body, "postcode", postcode) || names_another(terminated, "postcode", postcode))
		return failed(why, "the answer is about another postcode");
	enum postcode_answer none =
		postcode_is_beyond_directories(postcode) ? POSTCODE_ANSWER_UNKNOWN : POSTCODE_ANSWER_NONE;
	if (status == HTTP_OK) {
		const json_t *result = json_object_get(body, "result");
		if (!json_is_boolean(result))
			return failed(why, "the JSON is not of the documented form");
		return json_is_true(result) ? POSTCODE_ANSWER_EXISTS : none;
	}
	if (json_is_object(terminated) || says(body, "error", "Postcode not found") ||
	    says(body, "error", "Invalid postcode"))
		return none;
	return failed(why, "HTTP 404 that says nothing of the postcode: is the URL right?");
}

static enum postcode_answer getthedata_answer(const char *postcode, long status, const json_t *body, const char **why)
{
	const json_t *data = json_object_get(body, "data");

	if (names_another(body, "input", postcode) || names_another(data, "postcode", postcode))
		return failed(why, "the answer is about another postcode");
	if (says(body, "status", "no_match"))
		return POSTCODE_ANSWER_UNKNOWN;
	if (!says(body, "status", "match") || status != HTTP_OK ||
	    !json_is_string(json_object_get(data, "postcode")) ||
	    (json_object_get(body, "match_type") && !says(body, "match_type", "unit_postcode")))
		return failed(why, "the JSON is not of the documented form");
	if (says(data, "status", "terminated"))
		return POSTCODE_ANSWER_UNKNOWN;
	if (!says(data, "status", "live"))
		return failed(why, "the JSON is not of the documented form");
	return POSTCODE_ANSWER_EXISTS;
}

bool postcode_provider_status_answers(long status)
{
	return status == HTTP_OK || status == HTTP_NOT_FOUND;
}

enum postcode_answer postcode_provider_answer(enum postcode_provider provider, const char *postcode, long status,
					      const char *body, size_t body_size, const char **why)
{
	*why = NULL;
	if (!postcode_provider_status_answers(status))
		return failed(why, "only HTTP 200 and 404 are answers");
	if (body_size > POSTCODE_ANSWER_BYTES)
		return failed(why, "the body is too large");
	json_t *parsed = json_loadb(body, body_size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(parsed)) {
		json_decref(parsed);
		return failed(why, body_size == 0 ? "the body is empty" : "the body is not JSON of the documented form");
	}
	enum postcode_answer answer = provider == POSTCODES_IO ? postcodes_io_answer(postcode, status, parsed, why)
							       : getthedata_answer(postcode, status, parsed, why);
	json_decref(parsed);
	return answer;
}
