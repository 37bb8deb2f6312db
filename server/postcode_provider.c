#include "server/postcode_provider.h"

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
	/* Of what a normalised postcode holds, the space is the only character that a URL must not. */
	snprintf(out, POSTCODE_URL_BYTES,
		 provider == POSTCODES_IO ? "%s/postcodes/%.*s%%20%s/validate" : "%s/postcode/%.*s%%20%s", base,
		 (int)(space - postcode), postcode, space + 1);
}

static bool says(const json_t *object, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value && strcmp(value, text) == 0;
}

static enum postcode_answer postcodes_io_answer(long status, const json_t *body)
{
	if (json_integer_value(json_object_get(body, "status")) != status)
		return POSTCODE_ANSWER_FAILED;
	if (status == HTTP_OK) {
		const json_t *result = json_object_get(body, "result");
		if (!json_is_boolean(result))
			return POSTCODE_ANSWER_FAILED;
		return json_is_true(result) ? POSTCODE_ANSWER_EXISTS : POSTCODE_ANSWER_NONE;
	}
	if (status == HTTP_NOT_FOUND &&
	    (json_is_object(json_object_get(body, "terminated")) || says(body, "error", "Postcode not found") ||
	     says(body, "error", "Invalid postcode")))
		return POSTCODE_ANSWER_NONE;
	return POSTCODE_ANSWER_FAILED;
}

static enum postcode_answer getthedata_answer(const char *postcode, long status, const json_t *body)
{
	if (status != HTTP_OK && status != HTTP_NOT_FOUND)
		return POSTCODE_ANSWER_FAILED;
	if (says(body, "status", "match"))
		return status == HTTP_OK ? POSTCODE_ANSWER_EXISTS : POSTCODE_ANSWER_FAILED;
	if (!says(body, "status", "no_match"))
		return POSTCODE_ANSWER_FAILED;
	return strncmp(postcode, "BT", 2) == 0 ? POSTCODE_ANSWER_UNKNOWN : POSTCODE_ANSWER_NONE;
}

enum postcode_answer postcode_provider_answer(enum postcode_provider provider, const char *postcode, long status,
					      const char *body, size_t body_size)
{
	if ((status != HTTP_OK && status != HTTP_NOT_FOUND) || body_size > POSTCODE_ANSWER_BYTES)
		return POSTCODE_ANSWER_FAILED;
	json_t *parsed = json_loadb(body, body_size, JSON_REJECT_DUPLICATES, NULL);
	if (!parsed)
		return POSTCODE_ANSWER_FAILED;
	enum postcode_answer answer = provider == POSTCODES_IO ? postcodes_io_answer(status, parsed)
							       : getthedata_answer(postcode, status, parsed);
	json_decref(parsed);
	return answer;
}
