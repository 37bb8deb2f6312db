/* Which certificates vouch for a provider: those that curl, the command, would take. It reads the environment and looks
 * at the file system, and refuses to read a certificate. */
#pragma once

#include <stdbool.h>

#define POSTCODE_TRUST_PATH 4096

struct postcode_trust {
	char file[POSTCODE_TRUST_PATH];      /* a bundle; empty: there is none that can be read */
	char directory[POSTCODE_TRUST_PATH]; /* of certificates by hash, or several with colons between; empty: none */
};

/* CURL_CA_BUNDLE, else SSL_CERT_FILE, else the file that libcurl was built with; SSL_CERT_DIR (not with CURL_CA_BUNDLE),
 * else the directory that libcurl was built with. A directory that has no certificate by hash is none: in a slim
 * container /etc/ssl/certs holds the bundle alone. */
void postcode_trust_find(struct postcode_trust *trust);

/* Where it looked, for who finds nothing there: "/etc/ssl/certs/ca-certificates.crt and /etc/ssl/certs". */
void postcode_trust_describe(char *out, unsigned long size);
