#include "server/shop/postcode_fetch_fault.h"

#include <stdio.h>
#include <string.h>

#define HTTP_PROXY_AUTHENTICATION 407

static enum postcode_fault fault_of_answer(CURL *easy, bool proxied, char why[static POSTCODE_WHY_BYTES])
{
	long status = 0;
	char *location = NULL;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location);
	if (proxied && status == HTTP_PROXY_AUTHENTICATION) {
		snprintf(why, POSTCODE_WHY_BYTES, "the proxy wants a user name and password: HTTP %ld", status);
		return POSTCODE_FAULT_PROXY;
	}
	if (status / 100 == 3) {
		snprintf(why, POSTCODE_WHY_BYTES, "HTTP %ld to %.200s, which is not followed", status,
			 location ? location : "nowhere");
		return POSTCODE_FAULT_REDIRECT;
	}
	why[0] = '\0';
	return POSTCODE_FAULT_NONE;
}

static enum postcode_fault fault_of_result(CURL *easy, CURLcode result, bool proxied)
{
	long tunnel_status = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return POSTCODE_FAULT_NAME;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		return POSTCODE_FAULT_PROXY;
	case CURLE_COULDNT_CONNECT:
		return proxied ? POSTCODE_FAULT_PROXY : POSTCODE_FAULT_CONNECT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return POSTCODE_FAULT_CERTIFICATE;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_USE_SSL_FAILED:
		return POSTCODE_FAULT_TLS;
	case CURLE_FILESIZE_EXCEEDED:
	case CURLE_WRITE_ERROR:
		return POSTCODE_FAULT_TOO_LARGE;
	case CURLE_OPERATION_TIMEDOUT:
		return POSTCODE_FAULT_TIMEOUT;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: no status line */
	case CURLE_WEIRD_SERVER_REPLY:
		return POSTCODE_FAULT_ANSWER;
	default:
		return tunnel_status >= 300 ? POSTCODE_FAULT_PROXY : POSTCODE_FAULT_BROKEN;
	}
}

/* A peer's text must not end the line or the quotes around it. */
static void make_harmless(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
			*text = '?';
		else if (*text == '"')
			*text = '\'';
}

enum postcode_fault postcode_fetch_fault(CURL *easy, CURLcode result, const char *error, bool proxied,
					 char why[static POSTCODE_WHY_BYTES])
{
	long code = 0;
	enum postcode_fault fault;

	if (result == CURLE_OK) {
		fault = fault_of_answer(easy, proxied, why);
		make_harmless(why);
		return fault;
	}
	fault = fault_of_result(easy, result, proxied);
	if (result == CURLE_COULDNT_CONNECT)
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &code);
	if (fault == POSTCODE_FAULT_TOO_LARGE)
		snprintf(why, POSTCODE_WHY_BYTES, "the body is too large for an answer");
	else
		snprintf(why, POSTCODE_WHY_BYTES, "%s%s%s%s", error[0] ? error : curl_easy_strerror(result),
			 code ? ": " : "", code ? strerror((int)code) : "",
			 fault == POSTCODE_FAULT_CERTIFICATE ? ": is the package ca-certificates installed and up to date?"
							     : "");
	make_harmless(why);
	return fault;
}
