#include "server/shop/postcode_trust.h"

#include <ctype.h>
#include <curl/curl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The default of Debian's libcurl, for a libcurl that does not report its own. */
#define FILE_DEFAULT "/etc/ssl/certs/ca-certificates.crt"
#define DIRECTORY_DEFAULT "/etc/ssl/certs"

#define HASH_DIGITS 8

static const char *set_in_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* The same order as curl's. */
static void places(const char **file, const char **directory)
{
	const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);

	*file = built->cainfo ? built->cainfo : FILE_DEFAULT;
	*directory = built->capath ? built->capath : DIRECTORY_DEFAULT;
	if (set_in_environment("CURL_CA_BUNDLE")) {
		*file = getenv("CURL_CA_BUNDLE");
		return;
	}
	if (set_in_environment("SSL_CERT_FILE"))
		*file = getenv("SSL_CERT_FILE");
	if (set_in_environment("SSL_CERT_DIR"))
		*directory = getenv("SSL_CERT_DIR");
}

static bool is_bundle(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0 && access(path, R_OK) == 0;
}

/* "5ed36f99.0": the names that OpenSSL looks for. */
static bool is_by_hash(const char *name)
{
	size_t i = 0;

	while (i < HASH_DIGITS && isxdigit((unsigned char)name[i]))
		i++;
	return i == HASH_DIGITS && name[i] == '.' && isdigit((unsigned char)name[i + 1]);
}

static bool has_certificates(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	if (!directory)
		return false;
	while (!found && (entry = readdir(directory)))
		found = is_by_hash(entry->d_name);
	closedir(directory);
	return found;
}

/* OpenSSL accepts several, separated by colons. */
static bool any_has_certificates(const char *paths)
{
	char list[POSTCODE_TRUST_PATH];
	char *rest;

	snprintf(list, sizeof list, "%s", paths);
	for (char *path = strtok_r(list, ":", &rest); path; path = strtok_r(NULL, ":", &rest))
		if (has_certificates(path))
			return true;
	return false;
}

void postcode_trust_find(struct postcode_trust *trust)
{
	const char *file, *directory;

	places(&file, &directory);
	*trust = (struct postcode_trust){0};
	if (strlen(file) < sizeof trust->file && is_bundle(file))
		snprintf(trust->file, sizeof trust->file, "%s", file);
	if (strlen(directory) < sizeof trust->directory && any_has_certificates(directory))
		snprintf(trust->directory, sizeof trust->directory, "%s", directory);
}

void postcode_trust_describe(char *out, unsigned long size)
{
	const char *file, *directory;

	places(&file, &directory);
	snprintf(out, size, "%s and %s", file, directory);
}
