/* Replaces the client id that each line of standard input begins with by what others are shown of it: the first 16 bytes of
 * SHA-256(cluster id, client id). So what clients were told (bench --log) can be compared with what histories show. It
 * shares nothing with our own code, so that a fault there cannot hide one here.
 *
 *     client_aliases CLUSTER-ID */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ID_TEXT 36

static bool read_id(const char *text, unsigned char id[16])
{
	int used = 0;

	for (int i = 0; i < 16; i++) {
		unsigned int byte;
		int taken;

		if (text[used] == '-')
			used++;
		if (sscanf(text + used, "%2x%n", &byte, &taken) != 1 || taken != 2)
			return false;
		id[i] = (unsigned char)byte;
		used += taken;
	}
	return used == ID_TEXT;
}

int main(int argc, char **argv)
{
	unsigned char both[32], digest[EVP_MAX_MD_SIZE];
	char line[512];

	if (argc != 2 || !read_id(argv[1], both)) {
		fprintf(stderr, "usage: client_aliases CLUSTER-ID\n");
		return 2;
	}
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (!read_id(line, both + 16) || EVP_Digest(both, sizeof both, digest, NULL, EVP_sha256(), NULL) != 1) {
			fprintf(stderr, "client_aliases: no client id: %s", line);
			return 1;
		}
		for (int i = 0; i < 16; i++)
			printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", digest[i]);
		fputs(line + ID_TEXT, stdout);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
