/* How the providers are reached: only through the proxy that --postcode-proxy names, never through one where a
 * provider is on this host, and with which trusted certificates. The settings are logged once, at the start. The
 * environment is not used to guess any of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define POSTCODE_PROXY_BYTES 256 /* a proxy's URL, with its NUL */

/* Copies a proxy's URL if it is valid: http, https, socks4, socks4a, socks5 or socks5h with a host, and at most a user
 * name and password in addition. Otherwise false with one line in error. */
bool postcode_reach_proxy(const char *url, char out[static POSTCODE_PROXY_BYTES], char *error, size_t error_size);

/* Whether a base URL (from postcode_provider_base) leads to this host: no proxy can reach that. */
bool postcode_reach_is_loopback(const char *base);

/* bases: count of them, in the order in which they are asked; proxy: empty: none. */
void postcode_reach_announce(const char *const *bases, size_t count, const char *proxy);
