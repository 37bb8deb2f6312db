/* Which certificates are trusted for a provider: those that curl, the command, would use. It reads the environment and
 * checks the file system, but reads no certificate. */
#pragma once

#include <stdbool.h>

#define POSTCODE_TRUST_PATH 4096

struct postcode_trust {
	char file[POSTCODE_TRUST_PATH];      /* a bundle; empty: none is readable */
	char directory[POSTCODE_TRUST_PATH]; /* of certificates by hash, or several separated by colons; empty: none */
};

/* CURL_CA_BUNDLE, else SSL_CERT_FILE, else the file that libcurl was built with; SSL_CERT_DIR (not with
 * CURL_CA_BUNDLE), else the directory that libcurl was built with. A directory without a certificate by hash does not
 * count: in a slim container /etc/ssl/certs holds only the bundle. */
void postcode_trust_find(struct postcode_trust *trust);

/* Where certificates were looked for, for an error message: "/etc/ssl/certs/ca-certificates.crt and /etc/ssl/certs". */
void postcode_trust_describe(char *out, unsigned long size);
