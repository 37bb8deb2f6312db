#include "server/shop/postcode_reach.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "server/shop/postcode_trust.h"

static CURLU *parsed(const char *url)
{
	CURLU *parts = curl_url();

	must_allocate(parts);
	if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
		return parts;
	curl_url_cleanup(parts);
	return NULL;
}

/* Whether the URL has this part, with a value other than the default. */
static bool has(CURLU *parts, CURLUPart part, const char *anyway)
{
	char *value = NULL;
	bool found = curl_url_get(parts, part, &value, 0) == CURLUE_OK && strcmp(value, anyway) != 0;

	curl_free(value);
	return found;
}

static const char *complaint_about(CURLU *parts)
{
	static const char *const schemes[] = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
	char *scheme = NULL;
	const char *wrong = "must begin with http://, https://, socks4://, socks4a://, socks5:// or socks5h://";

	if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK)
		for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
			if (strcmp(scheme, schemes[i]) == 0)
				wrong = NULL;
	curl_free(scheme);
	if (!wrong && !has(parts, CURLUPART_HOST, ""))
		wrong = "has no host";
	if (!wrong && (has(parts, CURLUPART_PATH, "/") || has(parts, CURLUPART_QUERY, "") || has(parts, CURLUPART_FRAGMENT, "")))
		wrong = "must have no path, query or fragment";
	return wrong;
}

bool postcode_reach_proxy(const char *url, char out[static POSTCODE_PROXY_BYTES], char *error, size_t error_size)
{
	const char *wrong = "is longer than 255 bytes";

	_Static_assert(POSTCODE_PROXY_BYTES == 256, "the complaint names the bound");
	if (strlen(url) < POSTCODE_PROXY_BYTES) {
		CURLU *parts = strstr(url, "://") ? parsed(url) : NULL;
		wrong = parts ? complaint_about(parts) : "is no URL";
		curl_url_cleanup(parts);
	}
	if (wrong) {
		snprintf(error, error_size, "--postcode-proxy \"%.100s\" %s: give one like http://proxy.example:3128", url, wrong);
		return false;
	}
	snprintf(out, POSTCODE_PROXY_BYTES, "%s", url);
	return true;
}

static bool is_local_name(const char *host)
{
	static const char local[] = "localhost";
	size_t size = strlen(host);

	if (size > 0 && host[size - 1] == '.')
		size--;
	if (size < sizeof local - 1)
		return false;
	const char *end = host + size - (sizeof local - 1);
	return strncasecmp(end, local, sizeof local - 1) == 0 && (end == host || end[-1] == '.');
}

/* An IPv6 address is in brackets, and may have a zone, which loopback has not. */
static bool is_loopback_host(const char *host)
{
	struct in_addr four;
	struct in6_addr six;
	char bare[INET6_ADDRSTRLEN];
	size_t size = strlen(host);

	if (inet_pton(AF_INET, host, &four) == 1)
		return (ntohl(four.s_addr) >> IN_CLASSA_NSHIFT) == IN_LOOPBACKNET;
	if (host[0] != '[' || size - 2 >= sizeof bare)
		return is_local_name(host);
	snprintf(bare, sizeof bare, "%.*s", (int)(size - 2), host + 1);
	if (inet_pton(AF_INET6, bare, &six) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
}

bool postcode_reach_is_loopback(const char *base)
{
	CURLU *parts = parsed(base);
	char *host = NULL;

	must(parts);
	bool loopback = curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && is_loopback_host(host);
	curl_free(host);
	curl_url_cleanup(parts);
	return loopback;
}

/* Without user name and password, which must not appear in a log. */
static void describe_proxy(const char *proxy, char *out, size_t size)
{
	CURLU *parts = proxy[0] ? parsed(proxy) : NULL;
	char *url = NULL;

	if (parts) {
		curl_url_set(parts, CURLUPART_USER, NULL, 0);
		curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
		curl_url_get(parts, CURLUPART_URL, &url, 0);
	}
	snprintf(out, size, "%s", url ? url : "none");
	curl_free(url);
	curl_url_cleanup(parts);
}

static bool is_secure(const char *base)
{
	return strncasecmp(base, "https:", 6) == 0;
}

/* Most programs would have used it, so the operator must be told that we do not. */
static void mention_environment(const char *const *bases, size_t count)
{
	static const struct {
		const char *name;
		bool secure, plain; /* for which URLs other programs would use it */
	} table[] = {
		{"https_proxy", true, false}, {"HTTPS_PROXY", true, false}, {"http_proxy", false, true},
		{"all_proxy", true, true},    {"ALL_PROXY", true, true},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *value = getenv(table[i].name);
		bool would = false;

		for (size_t k = 0; k < count; k++)
			would |= !postcode_reach_is_loopback(bases[k]) &&
				 (is_secure(bases[k]) ? table[i].secure : table[i].plain);
		if (!value || !*value || !would)
			continue;
		log_warn("postcode",
			 "%s of the environment is not used: where providers are reached through a proxy only, say "
			 "--postcode-proxy URL",
			 table[i].name);
		return;
	}
}

void postcode_reach_announce(const char *const *bases, size_t count, const char *proxy)
{
	struct postcode_trust trust;
	char described[POSTCODE_PROXY_BYTES], places[2 * POSTCODE_TRUST_PATH];
	bool secure = false, beyond = false;

	for (size_t i = 0; i < count; i++) {
		secure |= is_secure(bases[i]);
		beyond |= !postcode_reach_is_loopback(bases[i]);
	}
	postcode_trust_find(&trust);
	describe_proxy(beyond ? proxy : "", described, sizeof described);
	for (size_t i = 0; i < count; i++)
		log_info("postcode", "postcodes are sent to %s%s proxy=%s", bases[i], i == 0 ? "" : " when the first fails",
			 postcode_reach_is_loopback(bases[i]) ? "none" : described);
	if (proxy[0] == '\0')
		mention_environment(bases, count);
	if (!secure)
		return;
	if (trust.file[0] || trust.directory[0]) {
		log_info("postcode", "certificates are trusted from%s%s%s%s", trust.directory[0] ? " " : "",
			 trust.directory, trust.file[0] ? " " : "", trust.file);
		return;
	}
	postcode_trust_describe(places, sizeof places);
	log_warn("postcode",
		 "no certificates of authorities in %s, so no provider can be trusted: install the package ca-certificates, "
		 "or set SSL_CERT_FILE",
		 places);
}
